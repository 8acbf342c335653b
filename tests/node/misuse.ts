// What the types have to refuse: each line below an @ts-expect-error must not compile, or this file does not.
import createClient from "openapi-fetch";
import type { paths } from "./authproject.js";

const api = createClient<paths>({ baseUrl: "" });

export async function misuse(): Promise<void> {
  // @ts-expect-error  a misspelt field
  await api.POST("/api/auth/signin", { body: { usernam: "ada", password: "secret" } });
  // @ts-expect-error  a field is missing
  await api.POST("/api/auth/signin", { body: { username: "ada" } });
  // @ts-expect-error  another type
  await api.POST("/api/auth/signup", { body: { username: 7, email: "a@example.com", password: "secret" } });
  // @ts-expect-error  no such route
  await api.GET("/api/test/root");
  // @ts-expect-error  no such method
  await api.DELETE("/api/auth/signin");
  // @ts-expect-error  the id is missing
  await api.GET("/api/users/{id}");

  const { data, error } = await api.POST("/api/auth/signin", { body: { username: "ada", password: "secret" } });
  // @ts-expect-error  there may be no answer
  console.log(data.accessToken);
  // @ts-expect-error  no such field of the answer
  console.log(data?.token);
  // @ts-expect-error  an error has a message, not a detail
  console.log(error?.detail);
}
