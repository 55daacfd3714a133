// htmx as a global: its extensions look for it there.
import htmx from "htmx.org/dist/htmx.esm.js";

globalThis.htmx = htmx;
