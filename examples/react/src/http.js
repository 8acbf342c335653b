// Two axios clients for the API: `open` for who is not signed in, `guarded` for who is, which refreshes when a token
// has run out.
import axios from "axios";
import * as tokens from "./tokens.js";

const baseURL = import.meta.env.VITE_API_URL ?? "http://localhost:8080";
// The longest Retry-After, in seconds, that is waited for unasked; and how often a request is sent at most.
const PATIENCE = 5;
const TRIES = 3;
const ENDED = "Your session has ended. Please sign in again.";

// A 401 is a wrong password here, and no reason to refresh.
export const open = axios.create({ baseURL });
export const guarded = axios.create({ baseURL });

guarded.interceptors.request.use((config) => {
  const pair = tokens.kept();
  if (pair) config.headers.Authorization = `Bearer ${pair.accessToken}`;
  return config;
});

for (const client of [open, guarded]) {
  client.interceptors.response.use(undefined, async (error) => {
    const { config, response } = error;
    const wait = retryAfter(response);
    const tries = config?.tries ?? 1;
    if (!wait || wait > PATIENCE || tries === TRIES) throw error;
    await seconds(wait);
    return client({ ...config, tries: tries + 1 });
  });
}

guarded.interceptors.response.use(undefined, async (error) => {
  const { config, response } = error;
  if (response?.status !== 401) throw error;
  if (config.refreshed) tokens.forget(ENDED);
  else await refreshUnlessDone(config.headers.Authorization);
  if (!tokens.kept()) throw error;
  return guarded({ ...config, refreshed: true });
});

// Of all requests, of all tabs, that meet a 401 at once, the first one refreshes; the others find that it was done.
function refreshUnlessDone(refused) {
  return navigator.locks.request("refresh", async () => {
    const pair = tokens.kept();
    if (pair && `Bearer ${pair.accessToken}` === refused) await refresh(pair);
  });
}

async function refresh({ refreshToken }) {
  try {
    const { data } = await open.post("/api/auth/refreshtoken", { refreshToken });
    tokens.keep(data);
  } catch (error) {
    // The session is over. Anything else, such as a 429 or a 503, says nothing about it.
    if (error.response?.status !== 403) throw error;
    tokens.forget(ENDED);
  }
}

// For people: what the server says, if it answers.
export const messageOf = ({ response, message }) =>
  response ? (response.data?.message ?? message) : "The server cannot be reached.";

// How many seconds the server asks to be left alone.
export const retryAfter = (response) =>
  [429, 503].includes(response?.status) ? Number(response.headers["retry-after"]) : 0;

export const seconds = (count) => new Promise((done) => setTimeout(done, count * 1000));
