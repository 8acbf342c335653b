// Verifies access tokens as another service would, from the published keys alone.
// Tokens come on standard input, one a line; a line of JSON answers each.
import { createInterface } from "node:readline";
import { createRemoteJWKSet, jwtVerify } from "jose";

const [server, issuer, audience] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", server));

async function verify(token) {
  const { payload } = await jwtVerify(token, keys, {
    issuer,
    audience,
    algorithms: ["EdDSA", "RS256"],
    typ: "access+jwt",
    requiredClaims: ["exp", "sub", "sid"],
  });
  return payload;
}

for await (const token of createInterface({ input: process.stdin })) {
  const answer = await verify(token).catch(({ code, claim }) => ({ code, claim }));
  console.log(JSON.stringify(answer));
}
