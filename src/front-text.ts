/** The front text of the OpenAPI document, an introduction for new readers. */
export const FRONT_TEXT = `
Latchkey issues and checks **Management API keys**. A key opens *only the endpoints chosen for it*, on *only the
Applications chosen for it*, *until the date chosen for it*, and can be taken away *at once*.

### Keys in ten lines

1. Sign in with \`POST /v1/sessions\`, press **Authorize** and paste the token (\`lks_...\`). A key (\`lkm_...\`) is pasted the same way; one of the two at a time.
2. Only an admin who is signed in sees, makes and deletes keys. A key never manages keys.
3. \`GET /v1/endpoints\` lists what a key may be granted; with \`?scope=application\`, what works with one Application.
4. \`POST /v1/api_keys\` makes a key: a name, an expiry date, its endpoints and, unless it shall open all of them, its Applications.
5. The value of the key is shown once, in that answer, and is stored nowhere: copy it. It works from that moment on.
6. Programs send it as \`Authorization: ManagementKey-v1 lkm_...\`; a session is \`Authorization: Bearer lks_...\`.
7. A key that is limited to Applications opens only endpoints with \`{applicationId}\` in their path, for these Applications.
8. A key stops when it expires, while its creator is deactivated, and for ever when it, its creator or its last Application is deleted.
9. It stops *now*: no request that starts after that answer is accepted any more, on any replica.
10. A refusal names its reason in \`code\`, and the endpoint or Application that is missing, as \`application/problem+json\`.
`.trim();
