// How `npm run dev` serves and `npm run build` builds.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// An origin that the API lists unless it is told otherwise (CORS_ALLOWED_ORIGINS). Another port would not be answered.
const address = { host: "localhost", port: 8081, strictPort: true };

export default defineConfig({
  plugins: [react()],
  server: address,
  preview: address,
});
