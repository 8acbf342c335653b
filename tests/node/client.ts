// A client of the API with the types that openapi-typescript makes of /openapi.json: signs up, signs in, sees a guarded
// board, refreshes and signs out. What it got is printed as a line of JSON.
import createClient from "openapi-fetch";
import type { paths } from "./authproject.js";

declare const process: { argv: string[] };

const [server, username, password] = process.argv.slice(2) as [string, string, string];
const api = createClient<paths>({ baseUrl: server });

/** The body of an answer, or an error with the server's message. */
function good<T>({ data, error }: { data?: T; error?: { message: string } }): T {
  if (data === undefined) throw new Error(error?.message ?? "no answer");
  return data;
}

const board = async (token: string) =>
  good(await api.GET("/api/test/user", { headers: { "x-access-token": token }, parseAs: "text" }));

const signedUp = good(
  await api.POST("/api/auth/signup", { body: { username, email: `${username}@example.com`, password } }),
);
const signedIn = good(await api.POST("/api/auth/signin", { body: { username, password } }));
const first: string = signedIn.accessToken;
const refreshed = good(await api.POST("/api/auth/refreshtoken", { body: { refreshToken: signedIn.refreshToken } }));
const seen = [await board(first), await board(refreshed.accessToken)];
const signedOut = good(
  await api.POST("/api/auth/signout", { body: {}, headers: { "x-access-token": refreshed.accessToken } }),
);
const { error, response } = await api.GET("/api/test/user", {
  headers: { "x-access-token": first },
  parseAs: "text",
});

console.log(
  JSON.stringify({
    said: [signedUp.message, signedOut.message],
    roles: signedIn.roles,
    seen,
    afterwards: { status: response.status, message: error?.message },
  }),
);
