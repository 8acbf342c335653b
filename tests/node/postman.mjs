// Sends a Postman collection's requests in order and runs their scripts; a line of JSON says what became of each.
import { readFileSync } from "node:fs";

const [file, ...given] = process.argv.slice(2);
const collection = JSON.parse(readFileSync(file, "utf8"));
const variables = new Map(collection.variable.map(({ key, value }) => [key, value]));
for (const pair of given) variables.set(...pair.split(/=(.*)/s, 2));

const filled = (text) => text.replace(/\{\{(\w+)\}\}/g, (_, name) => variables.get(name));

/** What a script sees, as far as ours look. */
function sandbox(status, text) {
  const below = (limit) => {
    if (status >= limit) throw new Error(`${status}: ${text}`);
  };
  return {
    test: (_, check) => check(),
    expect: () => ({ to: { be: { below } } }),
    response: { code: status, json: () => JSON.parse(text) },
    collectionVariables: { set: (name, value) => variables.set(name, String(value)) },
  };
}

async function send({ request, event }) {
  const headers = {};
  if (request.body) headers["Content-Type"] = "application/json";
  if (request.auth) headers.Authorization = `Bearer ${filled(request.auth.bearer[0].value)}`;
  const url = filled([...request.url.host, ...request.url.path].join("/"));
  const body = request.body && filled(request.body.raw);
  const response = await fetch(url, { method: request.method, headers, body });
  const pm = sandbox(response.status, await response.text());
  new Function("pm", event[0].script.exec.join("\n"))(pm);
  return response.status;
}

for (const item of collection.item) {
  const status = await send(item).catch((error) => error.message);
  console.log(JSON.stringify({ name: item.name, status }));
}
