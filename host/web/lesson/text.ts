/** The text of a lesson: blocks as elements. A claim is a mark that opens its check. */
import { html, nothing, type TemplateResult } from "lit";
import type { LessonBlock } from "../../lib/lesson/lesson-file.ts";
import type { Live } from "../../lib/lesson/live.ts";
import type { Inline } from "../../lib/lesson/markdown.ts";
import { texts } from "../texts/lesson.ts";

export interface TextContext {
  /** The claim whose check is open. */
  readonly openClaim: string | undefined;
  toggleClaim(name: string): void;
  renderCheck(name: string): TemplateResult;
  readonly live: Live | undefined;
  show(live: Live): void;
  /** Exercises count from 0 in the order of the text. */
  renderExercise(index: number): TemplateResult;
}

/** Links between lessons stay in the page; files of the project open where they are kept. */
function hrefOf(href: string): string {
  const lesson = /^\d+-([\w-]+)\.md$/.exec(href);
  return lesson ? `#/lesson/${lesson[1]}` : href;
}

const isHere = (href: string): boolean => /^\d+-[\w-]+\.md$/.test(href) || href.startsWith("#");

function renderInline(content: readonly Inline[], context: TextContext): unknown {
  return content.map((part) => {
    switch (part.kind) {
      case "code":
        return html`<code>${part.text}</code>`;
      case "strong":
        return html`<strong>${part.text}</strong>`;
      case "em":
        return html`<em>${part.text}</em>`;
      case "link":
        return isHere(part.href)
          ? html`<a href=${hrefOf(part.href)}>${part.text}</a>`
          : html`<cite>${part.text}</cite>`;
      case "claim":
        return html`<button
          class="claim"
          aria-expanded=${context.openClaim === part.name}
          aria-label="${texts.claim}: ${part.name}"
          title=${texts.claim}
          @click=${() => context.toggleClaim(part.name)}
        >
          ✓
        </button>`;
      default:
        return part.text;
    }
  });
}

const claimsIn = (content: readonly Inline[]): string[] =>
  content.flatMap((part) => (part.kind === "claim" ? [part.name] : []));

/** The open check, below the block that claims it. */
function renderOpen(contents: readonly (readonly Inline[])[], context: TextContext): unknown {
  const { openClaim } = context;
  return openClaim !== undefined && contents.flatMap(claimsIn).includes(openClaim)
    ? context.renderCheck(openClaim)
    : nothing;
}

export const liveLabel = (live: Live): string =>
  live.kind === "machine" ? texts.machineLabel(live.guest) : texts.raceLabel(live.race, live.variant);

function renderLive(live: Live, context: TextContext): TemplateResult {
  const isShown = context.live === live;
  return html`<p>
    <button class="live ${isShown ? "" : "primary"}" aria-pressed=${isShown} @click=${() => context.show(live)}>
      <span aria-hidden="true">▶</span> ${isShown ? texts.showing : texts.show}: ${liveLabel(live)}
    </button>
  </p>`;
}

function renderBlock(block: LessonBlock, context: TextContext, exercise: () => number): unknown {
  switch (block.kind) {
    case "heading":
      return block.level <= 2 ? html`<h2>${block.text}</h2>` : html`<h3>${block.text}</h3>`;
    case "paragraph":
      return html`<p>${renderInline(block.content, context)}</p>
        ${renderOpen([block.content], context)}`;
    case "quote":
      return html`<blockquote>${renderInline(block.content, context)}</blockquote>`;
    case "list": {
      const items = block.items.map((item) => html`<li>${renderInline(item, context)}</li>`);
      return html`${block.isOrdered ? html`<ol>${items}</ol>` : html`<ul>${items}</ul>`} ${renderOpen(block.items, context)}`;
    }
    case "table":
      return html`<div class="scroll" tabindex="0">
          <table>
            <thead>
              <tr>
                ${block.head.map((cell) => html`<th scope="col">${renderInline(cell, context)}</th>`)}
              </tr>
            </thead>
            <tbody>
              ${block.rows.map((row) => html`<tr>${row.map((cell) => html`<td>${renderInline(cell, context)}</td>`)}</tr>`)}
            </tbody>
          </table>
        </div>
        ${renderOpen(block.rows.flat(), context)}`;
    case "code":
      return html`<pre class="scroll" tabindex="0"><code>${block.text}</code></pre>`;
    case "live":
      return renderLive(block.live, context);
    case "exercise":
      return context.renderExercise(exercise());
  }
}

export function renderBlocks(blocks: readonly LessonBlock[], context: TextContext): unknown {
  let exercises = 0;
  return blocks.map((block) => renderBlock(block, context, () => exercises++));
}
