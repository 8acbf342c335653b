// One request to the API, and what came of it.

// `status` is 0 where no answer came; `wait` is what Retry-After says, in seconds, 0 where it says nothing.
export class Refused extends Error {
  constructor({ status, wait, data }) {
    const message = data?.message ?? `The server answered ${status}.`;
    // A proxy's refusal has no sentence of ours that says how long.
    const told = wait && !message.includes(wait) ? ` Please try again in ${wait} seconds.` : "";
    super(message + told);
    Object.assign(this, { status, wait });
  }
}

const NO_ANSWER = { ok: false, status: 0, wait: 0, text: "", data: { message: "The server does not answer." } };

// Gives {ok, status, wait, text, data}; `data` is the answer's JSON, if it is any. Never throws.
export async function send(method, path, { body, token, cookies }) {
  const headers = { Accept: "application/json" };
  if (body) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  const credentials = cookies ? "same-origin" : "omit";
  try {
    const answer = await fetch(path, { method, headers, credentials, body: body && JSON.stringify(body) });
    const text = await answer.text();
    const wait = Number(answer.headers.get("Retry-After")) || 0;
    return { ok: answer.ok, status: answer.status, wait, text, data: parsed(answer, text) };
  } catch {
    return NO_ANSWER;
  }
}

function parsed(answer, text) {
  const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
  return isJson && text ? JSON.parse(text) : undefined;
}
