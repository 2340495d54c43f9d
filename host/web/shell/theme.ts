/** Light, dark, or as the system says. The choice is kept when the browser lets us. */
const KEY = "vmexit-theme";
export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export function storedTheme(): Theme {
  try {
    const word = localStorage.getItem(KEY);
    return THEMES.find((t) => t === word) ?? "system";
  } catch {
    return "system"; // storage may be forbidden, for instance in a frame
  }
}

export function applyTheme(theme: Theme): void {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // not kept, then
  }
  // Pictures on canvas read their colours from the tokens once: they are drawn again.
  window.dispatchEvent(new Event("vx-theme"));
}
