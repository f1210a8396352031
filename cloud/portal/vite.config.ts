import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv } from "vite";

/** `TANDEM_API=http://127.0.0.1:8080 npx vite` develops against a running API; pages stay with Vite. */
export default defineConfig(({ mode }) => {
  const target = loadEnv(mode, ".", "TANDEM_").TANDEM_API;
  return {
    plugins: [react()],
    build: { outDir: "dist", chunkSizeWarningLimit: 1024 },
    server: target
      ? {
          proxy: {
            "^/(?!src/|@|node_modules/|assets/|tandem\\.svg).*": {
              target,
              bypass: (request) => (request.headers.accept?.includes("text/html") ? "/index.html" : undefined),
            },
          },
        }
      : {},
  };
});
