// Builds src/ and the packages into built/: scripts and styles with a hash in their names, icons as one sheet, a manifest of names.
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { build } from "esbuild";

const into = "built.new";
const icons = (await readFile("src/icons.txt", "utf8")).split("\n").filter(Boolean);
const names = {};

await rm(into, { recursive: true, force: true });
await mkdir(into);
const { outputFiles } = await build({
  entryPoints: ["src/console.js", "src/charts.js", "src/console.css"],
  bundle: true,
  minify: true,
  write: false,
  outdir: into,
  target: ["es2022"],
  legalComments: "none",
});
for (const file of outputFiles) await keep(basename(file.path), file.contents);
await keep("icons.svg", await sheet());
await keep("mark.svg", await readFile("src/mark.svg"));
await writeFile(`${into}/manifest.json`, JSON.stringify(names, null, 1));
await rm("built", { recursive: true, force: true });
await rename(into, "built");

async function keep(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const kept = `${basename(name, extname(name))}-${hash}${extname(name)}`;
  names[name] = kept;
  await writeFile(`${into}/${kept}`, content);
}

async function sheet() {
  const symbols = icons.map(async (name) => {
    const svg = await readFile(`node_modules/lucide-static/icons/${name}.svg`, "utf8");
    const inner = svg.replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "").replace(/\s+/g, " ");
    return `<symbol id="${name}" viewBox="0 0 24 24">${inner}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">${(await Promise.all(symbols)).join("")}</svg>`;
}
