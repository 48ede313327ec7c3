import { build } from "esbuild";

await build({
  entryPoints: ["app.jsx"],
  bundle: true,
  minify: true,
  outfile: "app.js",
  jsx: "automatic",
  logLevel: "error",
  define: { "process.env.NODE_ENV": '"production"', "process.env": "{}", "import.meta.env": "{}" },
});
