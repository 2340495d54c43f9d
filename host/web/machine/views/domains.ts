/** Domains, the frames that several of them show, and the I/O ownership map. */
import { css, html, type TemplateResult } from "lit";
import { shared } from "../../shell/styles.ts";
import { texts } from "../../texts/machine.ts";
import type { DomainsLook } from "../../worker/look/domains.ts";
import type { MachineController } from "../controller.ts";
import { count, hex } from "../format.ts";
import { MachineView } from "../view.ts";

class DomainsView extends MachineView<DomainsLook> {
  static override styles = [
    shared,
    css`
      section + section {
        margin-top: var(--vx-space-4);
      }
    `,
  ];

  /** It visits every page of every domain. */
  protected override get isLive(): boolean {
    return false;
  }

  protected override look(controller: MachineController): Promise<DomainsLook | undefined> {
    return controller.ask((s) => s.domains());
  }

  private head(columns: readonly string[]): TemplateResult {
    return html`<thead><tr>${columns.map((c) => html`<th scope="col">${c}</th>`)}</tr></thead>`;
  }

  protected override renderData({ domains, frames, frameCount, ownership }: DomainsLook): TemplateResult {
    const t = texts.domains;
    return html`<section>
        <h3>${t.title}</h3>
        <table>
          ${this.head(t.columns)}
          <tbody>
            ${domains.map((d) => html`<tr><td>${d.domid === 0 ? t.dom0 : t.guest(d.domid)}</td><td>${d.vcpus}</td><td>${count(d.pages)}</td><td>${count(d.shared)}</td><td>${d.state}</td></tr>`)}
          </tbody>
        </table>
      </section>
      <section>
        <h3>${t.framesTitle(frameCount)}</h3>
        ${
          frames.length === 0
            ? html`<p class="soft">${t.noFrames}</p>`
            : html`<table>
                ${this.head(t.frameColumns)}
                <tbody>
                  ${frames.map((f) => html`<tr class="mono"><td>${hex(f.mfn)}</td><td>${f.places.map((p) => `d${p.domid} gfn ${hex(p.gfn)}`).join(", ")}</td></tr>`)}
                </tbody>
              </table>`
        }
      </section>
      <section>
        <h3>${t.ownershipTitle}</h3>
        <table>
          ${this.head(t.ownershipColumns)}
          <tbody>
            ${ownership.map(
              (o) => html`<tr><td>${o.kind}</td><td class="mono">${hex(o.first)}-${hex(o.last)}</td>
                <td>${[...(o.hasDom0 ? ["dom0"] : []), ...o.rights.map((d) => `d${d}`)].join(", ") || "-"}</td>
                <td>${o.mappedBy.map((d) => (d === 0 ? "dom0" : `d${d}`)).join(", ") || "-"}</td><td>${o.state}</td></tr>`,
            )}
          </tbody>
        </table>
      </section>`;
  }
}

customElements.define("vx-domains", DomainsView);
