// Starts the workers: `node server.js`, with PORT, DATABASE_URL and PROCESSES; says `ready` when all of them listen.
import cluster from "node:cluster";

import { app } from "./app.js";
import { port, processes } from "./config.js";
import { prepare, sequelize } from "./models.js";

async function startWorkers() {
  await prepare();
  await sequelize.close();
  // A benchmark must not go on with fewer workers than it says.
  cluster.on("exit", () => process.exit(1));
  let listening = 0;
  cluster.on("listening", () => ++listening === processes && console.log("ready"));
  for (let started = 0; started < processes; started++) {
    cluster.fork();
  }
}

if (cluster.isPrimary) {
  await startWorkers();
} else {
  app.listen(port, "127.0.0.1");
}
