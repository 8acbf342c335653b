// What the environment says; lifetimes are in seconds.
const { env } = process;

export const port = Number(env.PORT ?? 8080);
export const databaseUrl = env.DATABASE_URL ?? "mysql://root@127.0.0.1:3306/express_peer";
export const processes = Number(env.PROCESSES ?? 2);
export const secret = env.SECRET ?? "for a benchmark on the loopback only";
export const bcryptCost = Number(env.BCRYPT_COST ?? 8);
export const accessTokenLifetime = Number(env.ACCESS_TOKEN_LIFETIME ?? 3600);
export const refreshTokenLifetime = Number(env.REFRESH_TOKEN_LIFETIME ?? 86400);
