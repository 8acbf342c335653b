// What the pages ask the API; how it is asked is in http.js.
import { guarded, messageOf, open } from "./http.js";
import * as tokens from "./tokens.js";

const BOARDS = [
  { title: "Public", path: "/api/test/all", role: null },
  { title: "User", path: "/api/test/user", role: "ROLE_USER" },
  { title: "Moderator", path: "/api/test/mod", role: "ROLE_MODERATOR" },
  { title: "Admin", path: "/api/test/admin", role: "ROLE_ADMIN" },
];

const get = (path) => guarded.get(path).then(({ data }) => data);

export async function signUp(account) {
  await open.post("/api/auth/signup", account);
  await signIn(account);
}

export async function signIn({ username, password }) {
  const { data } = await open.post("/api/auth/signin", { username, password });
  tokens.keep(data);
}

// The refresh token says whose session is to end; this browser forgets it in any case.
export async function signOut() {
  const { refreshToken } = tokens.kept() ?? {};
  const said = await open.post("/api/auth/signout", { refreshToken }).then(({ data }) => data.message, messageOf);
  tokens.forget(said);
}

export const endSession = (id) => guarded.delete(`/api/auth/sessions/${id}`);

// All that the page shows, asked for at once: who I am, my sessions, and what each board answers me.
export async function look() {
  const asked = [get("/api/auth/me"), get("/api/auth/sessions"), ...BOARDS.map(ask)];
  const [account, sessions, ...boards] = await Promise.all(asked);
  return { account, sessions, boards };
}

// A board's text, or why it stays shut. The server decides, whatever roles the page believes in.
async function ask(board) {
  try {
    return { ...board, text: await get(board.path), opened: true };
  } catch (error) {
    if (error.response?.status !== 403) throw error;
    return { ...board, text: messageOf(error), opened: false };
  }
}
