// Where the tokens are kept: in localStorage, for all tabs of this browser. Nobody else here knows.

const KEY = "tokens";
const listeners = new Set();
let farewell = "";

// {id, accessToken, refreshToken}, or null; read anew each time, because another tab may have refreshed meanwhile.
export const kept = () => JSON.parse(localStorage.getItem(KEY));

// The id of who is signed in, or null.
export const holder = () => kept()?.id ?? null;

// Why nobody is signed in any more, for people.
export const parting = () => farewell;

// What a sign-in answers, or a refresh: its refresh token is the successor, with which the next refresh is asked for.
export function keep({ id = holder(), accessToken, refreshToken }) {
  farewell = "";
  localStorage.setItem(KEY, JSON.stringify({ id, accessToken, refreshToken }));
  tell();
}

export function forget(why) {
  farewell = why;
  localStorage.removeItem(KEY);
  tell();
}

// Calls `listener` after each change, also of another tab; gives what ends that.
export function subscribe(listener) {
  listeners.add(listener);
  addEventListener("storage", listener);
  return () => {
    listeners.delete(listener);
    removeEventListener("storage", listener);
  };
}

function tell() {
  for (const listener of listeners) listener();
}
