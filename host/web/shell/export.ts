/**
 * Any part of the page as a picture: what is seen is written as SVG shapes and text (not as HTML inside SVG, which slides and drawing
 * programs cannot open), and the PNG is made of that. Read next: dom-to-svg.ts.
 */
import { elementToSvg } from "./dom-to-svg.ts";

/** Pixels of the PNG for one of the page: sharp on a projector. */
const PNG_SCALE = 2;

export async function saveElement(
  element: HTMLElement,
  kind: "svg" | "png",
  name: string,
  title: string,
): Promise<void> {
  const picture = elementToSvg(element, title);
  const svg = new Blob([picture.text], { type: "image/svg+xml" });
  download(kind === "svg" ? svg : await toPng(picture.text, picture.width, picture.height), name);
}

async function toPng(text: string, width: number, height: number): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = width * PNG_SCALE;
  canvas.height = height * PNG_SCALE;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser gives no canvas");
  context.scale(PNG_SCALE, PNG_SCALE);
  context.drawImage(image, 0, 0, width, height);
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error("the picture is too large for this browser"))),
      "image/png",
    );
  });
}

function download(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
