/**
 * A race on stage: film, play or explore. Used by the page of races and beside lessons. What it does is in stage-model.ts.
 */
import { html, nothing, type TemplateResult } from "lit";
import { shared } from "../shell/styles.ts";
import { texts } from "../texts/race.ts";
import type { Frame, Staged } from "../worker/race-protocol.ts";
import type { ExploreSettings } from "./explore-panel.ts";
import "./explore-panel.ts";
import "./lanes.ts";
import { playStyles, renderPlay } from "./play.ts";
import { renderSource, renderState, renderWho, sideStyles } from "./side.ts";
import { MODES, StageModel } from "./stage-model.ts";
import { stageStyles } from "./stage-styles.ts";

export { MODES, type Mode, type StageRequest } from "./stage-model.ts";

export class RaceStage extends StageModel {
  static override styles = [shared, sideStyles, playStyles, stageStyles];

  private renderModes(): TemplateResult {
    return html`<div class="modes" role="group" aria-label=${texts.modesLabel}>
      ${MODES.map(
        (mode) =>
          html`<button aria-pressed=${mode === this.mode} title=${texts.modeHelp[mode]} @click=${() => this.setMode(mode)}>
            ${texts.modes[mode]}
          </button>`,
      )}
    </div>`;
  }

  private renderScrubber(staged: Staged, frame: Frame): TemplateResult {
    const last = staged.frames.length - 1;
    const said = frame.step ? `${frame.step.actor} ${frame.step.text}` : texts.atFirst;
    return html`<div class="row scrub">
      <button aria-label=${texts.previous} title="${texts.previous} (←)" ?disabled=${this.at === 0} @click=${() => this.go(this.at - 1)}>◀</button>
      ${
        this.mode === "film"
          ? html`<button aria-label=${this.isRolling ? texts.pause : texts.run} title=${this.isRolling ? texts.pause : texts.run} @click=${() => this.roll()}>
              ${this.isRolling ? `❚❚ ${texts.pauseShort}` : texts.runShort}
            </button>`
          : nothing
      }
      <button aria-label=${texts.next} title="${texts.next} (→)" ?disabled=${this.at === last} @click=${() => this.go(this.at + 1)}>▶</button>
      <input
        type="range"
        min="0"
        max=${last}
        .value=${String(this.at)}
        aria-label=${texts.scrubber}
        aria-valuetext="${texts.position(this.at, last)}: ${said}"
        @input=${(event: Event) => this.go(Number((event.target as HTMLInputElement).value))}
      />
      <span class="position">${texts.position(this.at, last)}</span>
    </div>`;
  }

  private renderStage(staged: Staged, frame: Frame): TemplateResult {
    const isPlay = this.mode === "play";
    return html`<div class="split">
      <vx-race-lanes
        tabindex="0"
        role="region"
        aria-label=${texts.modes.film}
        .frames=${staged.frames}
        .cast=${staged.cast}
        .at=${this.at}
        @vx-go=${(event: CustomEvent<number>) => this.go(event.detail)}
      ></vx-race-lanes>
      <div class="side" tabindex="0" role="region" aria-label=${texts.state}>
        ${
          isPlay
            ? renderPlay({
                frame,
                isFixed: staged.race.variants.find((v) => v.name === staged.variant)?.expect === "clean",
                hasFix: this.fixed !== undefined && this.fixed !== staged.variant,
                choose: (actor) => void this.choose(actor),
                undo: () => void this.undo(),
                restart: () => void this.undo(this.at),
                runOn: () => void this.runOn(),
                tryFix: (isSame) => void this.tryFix(isSame),
                prove: () => void this.proveFix(),
              })
            : nothing
        }
        <div>${renderState(frame)} ${renderSource(frame)}</div>
        ${
          isPlay
            ? nothing
            : html`<div>${renderWho(frame)}</div>
                <div><button @click=${() => void this.takeOver()} ?disabled=${frame.verdict.kind !== "open"}>${texts.takeOver}</button></div>`
        }
      </div>
    </div>`;
  }

  private renderLost(why: string): TemplateResult {
    return html`<div class="problem" role="alert">
      <p>${texts.lost(why)}</p>
      <button
        @click=${() => {
          void this.startAgain();
        }}
      >
        ${texts.restartWorker}
      </button>
    </div>`;
  }

  override render(): TemplateResult {
    const { staged, frame, problem } = this;
    const step = frame?.step;
    return html`
      ${this.lost === undefined ? nothing : this.renderLost(this.lost)}
      ${problem === undefined ? nothing : html`<div class="problem" role="alert"><strong>${texts.failed}.</strong> ${problem}</div>`}
      ${!staged && !problem && this.lost === undefined ? html`<p role="status">${texts.loading} ...</p>` : nothing}
      ${
        staged && frame
          ? html`<div class="row bar">
                ${this.renderModes()} ${this.mode === "explore" ? nothing : this.renderScrubber(staged, frame)}
              </div>
              ${staged.notice ? html`<p class="notice">${staged.notice}</p>` : nothing}
              ${staged.leftOut === undefined ? nothing : html`<p class="notice" role="status">${texts.leftOut(staged.leftOut)}</p>`}
              <p class="only-read" aria-live="polite">${step ? `${step.actor} ${step.text}. ${step.outcome.join(". ")}` : ""}</p>
              ${
                this.mode === "explore"
                  ? html`<vx-explore-panel
                      .progress=${this.progress}
                      .answer=${this.explored}
                      .isRunning=${this.isExploring}
                      @vx-explore=${(event: CustomEvent<ExploreSettings>) => void this.explore(event.detail)}
                      @vx-cancel=${() => this.stopExploring()}
                      @vx-watch=${(event: CustomEvent<string>) => void this.load(event.detail)}
                    ></vx-explore-panel>`
                  : this.renderStage(staged, frame)
              }`
          : nothing
      }
    `;
  }
}

customElements.define("vx-race-stage", RaceStage);
