/** The guest's console: xterm shows what it wrote and sends what is typed. */
import { Terminal } from "@xterm/xterm";
import xtermCss from "@xterm/xterm/css/xterm.css?inline";
import { css, html, LitElement, type TemplateResult, unsafeCSS } from "lit";
import { shared } from "../../shell/styles.ts";
import { texts } from "../../texts/machine.ts";
import type { MachineController } from "../controller.ts";

/** Colours of the page, for the canvas of the terminal. */
function theme(host: Element) {
  const style = getComputedStyle(host);
  const probe = document.createElement("span");
  document.body.append(probe);
  const colour = (token: string): string => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
  const colours = {
    background: colour("--vx-surface"),
    foreground: colour("--vx-text"),
    cursor: colour("--vx-accent"),
    selectionBackground: colour("--vx-accent-soft"),
  };
  probe.remove();
  return { colours, font: style.getPropertyValue("--vx-mono") };
}

class ConsoleView extends LitElement {
  static override properties = { controller: { attribute: false } };
  declare controller: MachineController;
  private terminal: Terminal | undefined;
  private epoch = -1;
  private written = 0;
  private readonly sizes = new ResizeObserver(() => this.fit());
  static override styles = [
    shared,
    unsafeCSS(xtermCss),
    css`
      :host {
        display: block;
        overflow: hidden;
        min-height: 0;
      }
      .terminal-place {
        height: 100%;
        overflow: hidden;
      }
    `,
  ];

  override firstUpdated(): void {
    const place = this.renderRoot.querySelector<HTMLElement>(".terminal-place")!;
    const { colours, font } = theme(this);
    this.terminal = new Terminal({
      convertEol: true,
      fontFamily: font,
      fontSize: 12.5,
      theme: colours,
      scrollback: 5000,
      screenReaderMode: true,
      cursorBlink: false,
    });
    this.terminal.open(place);
    this.terminal.textarea?.setAttribute("aria-label", texts.console.input);
    this.terminal.onData((text) => void this.controller.type(new TextEncoder().encode(text)));
    // Tab leaves the console, as everywhere on the page.
    this.terminal.attachCustomKeyEventHandler((event) => event.key !== "Tab");
    this.sizes.observe(this);
    this.show();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("vx-theme", this.recolour);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.recolour);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.controller?.removeEventListener("change", this.show);
    window.removeEventListener("vx-theme", this.recolour);
    matchMedia("(prefers-color-scheme: dark)").removeEventListener("change", this.recolour);
    this.sizes.disconnect();
  }

  override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has("controller")) return;
    (changed.get("controller") as MachineController | undefined)?.removeEventListener("change", this.show);
    this.controller.addEventListener("change", this.show);
    this.epoch = -1;
  }

  private readonly recolour = (): void => {
    if (this.terminal) this.terminal.options.theme = theme(this).colours;
  };

  /** Writes what is new; after a step back, everything once more. */
  private readonly show = (): void => {
    const { terminal, controller } = this;
    if (!terminal || !controller) return;
    if (controller.consoleEpoch !== this.epoch || controller.console.length < this.written) {
      terminal.reset();
      this.epoch = controller.consoleEpoch;
      this.written = 0;
    }
    if (controller.console.length > this.written) terminal.write(controller.console.subarray(this.written));
    this.written = controller.console.length;
  };

  /** As many rows and columns as fit, by the size of the terminal's own letters. */
  private fit(): void {
    const { terminal } = this;
    const screen = this.renderRoot.querySelector(".xterm-screen");
    if (!terminal || !screen || this.clientWidth < 40 || this.clientHeight < 20) return;
    const { width, height } = screen.getBoundingClientRect();
    const [cellWidth, cellHeight] = [width / terminal.cols, height / terminal.rows];
    if (!(cellWidth > 0 && cellHeight > 0)) return;
    const columns = Math.max(20, Math.floor((this.clientWidth - 16) / cellWidth));
    const rows = Math.max(3, Math.floor(this.clientHeight / cellHeight));
    if (columns !== terminal.cols || rows !== terminal.rows) terminal.resize(columns, rows);
  }

  override render(): TemplateResult {
    return html`<div class="terminal-place"></div>`;
  }
}

customElements.define("vx-console", ConsoleView);
