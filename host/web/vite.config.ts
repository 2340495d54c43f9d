/**
 * The page as static files in dist/lab/: any web server can serve them, from any folder, without special headers.
 * Two entries: index.html (the lab) and vmexit-machine.js (the custom element for other pages; static/embed.html shows it).
 */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { guestImages } from "./build/guest-images.ts";
import { icedForBrowsers } from "./build/iced-browser.ts";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: at("."),
  base: "./",
  publicDir: at("static"),
  plugins: [guestImages(), icedForBrowsers()],
  worker: { format: "es", plugins: () => [guestImages(), icedForBrowsers()] },
  build: {
    outDir: at("../../dist/lab"),
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: at("index.html"), "vmexit-machine": at("embed/element.ts") },
      output: {
        // Other people's pages name this one.
        entryFileNames: ({ name }) => (name === "vmexit-machine" ? "vmexit-machine.js" : "assets/[name]-[hash].js"),
      },
    },
  },
});
