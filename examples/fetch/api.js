// What the page asks the API. The tokens are in cookies that no script can read (TOKEN_DELIVERY=cookie): nothing here
// sees one, keeps one, or could lose one.

const API = document.querySelector('meta[name="api"]').content;
// The longest Retry-After, in seconds, that is waited for unasked; and how often a request is sent at most.
const PATIENCE = 5;
const TRIES = 3;

export const BOARDS = [
  { title: "Public", path: "/api/test/all", role: null },
  { title: "User", path: "/api/test/user", role: "ROLE_USER" },
  { title: "Moderator", path: "/api/test/mod", role: "ROLE_MODERATOR" },
  { title: "Admin", path: "/api/test/admin", role: "ROLE_ADMIN" },
];

// The server refuses, or cannot be reached: `message` is for people, `status` is 0 without an answer, and
// `retryAfter` is how many seconds it asks for.
export class ApiError extends Error {
  constructor(message, status = 0, retryAfter = 0) {
    super(message);
    Object.assign(this, { status, retryAfter });
  }
}

// Nobody is signed in, or no longer: only the password helps.
export class SignedOut extends Error {}

export const signUp = (account) => open("/api/auth/signup", account);
export const signIn = (credentials) => open("/api/auth/signin", credentials);
export const signOut = () => open("/api/auth/signout", {});
export const endSession = (id) => guarded("DELETE", `/api/auth/sessions/${id}`);

export function me() {
  return guarded("GET", "/api/auth/me").catch((error) => {
    // Whoever is signed in may ask this, so a 403 says that no cookie came along.
    throw error.status === 403 ? new SignedOut("") : error;
  });
}

// All that the page shows, asked for at once: who I am, my sessions, and what each board answers me.
export async function look() {
  const asked = [me(), guarded("GET", "/api/auth/sessions"), ...BOARDS.map(ask)];
  const [account, sessions, ...boards] = await Promise.all(asked);
  return { account, sessions, boards };
}

// A board's text, or why it stays shut. The server decides, whatever roles the page believes in.
async function ask(board) {
  try {
    return { ...board, text: await guarded("GET", board.path), opened: true };
  } catch (error) {
    if (error.status !== 403) throw error;
    return { ...board, text: error.message, opened: false };
  }
}

// For who is not signed in yet; a 401 is a wrong password here.
const open = async (path, body) => outcome(await send("POST", path, body));

// For who is signed in; a 401 says that the access token has run out, and it is refreshed, once.
async function guarded(method, path) {
  const before = refreshes();
  let answer = await send(method, path);
  if (answer.status === 401) {
    await refreshUnlessDone(before);
    answer = await send(method, path);
  }
  if (answer.status === 401) throw new SignedOut("Your session has ended. Please sign in again.");
  return outcome(answer);
}

// Of all requests, of all tabs, that meet a 401 at once, the first one refreshes; the others find that it was done.
function refreshUnlessDone(before) {
  return navigator.locks.request("refresh", async () => {
    if (refreshes() !== before) return;
    const answer = await send("POST", "/api/auth/refreshtoken", {});
    // 403 says that the session is over, as the 401 that comes next will. A 429 or a 503 says nothing about it.
    if (answer.status !== 403) await outcome(answer);
    localStorage.setItem("refreshes", Number(before) + 1);
  });
}

// How often this browser has refreshed; all tabs see it.
const refreshes = () => localStorage.getItem("refreshes") ?? "0";

// The answer, whatever its status; sent again where the server asks for a little patience.
async function send(method, path, body) {
  const json = body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  for (let tries = 1; ; tries++) {
    const answer = await fetch(API + path, { method, credentials: "include", ...json }).catch(() => null);
    if (!answer) throw new ApiError("The server cannot be reached.");
    const wait = retryAfter(answer);
    if (!wait || wait > PATIENCE || tries === TRIES) return answer;
    await seconds(wait);
  }
}

const retryAfter = (answer) => ([429, 503].includes(answer.status) ? Number(answer.headers.get("Retry-After")) : 0);

export const seconds = (count) => new Promise((done) => setTimeout(done, count * 1000));

// The body: JSON, or a board's bare text; raises ApiError for what is no success.
async function outcome(answer) {
  const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
  const body = isJson ? await answer.json() : await answer.text();
  if (!answer.ok) throw new ApiError(body.message ?? answer.statusText, answer.status, retryAfter(answer));
  return body;
}
