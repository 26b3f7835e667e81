/* Configures Swagger UI for Latchkey. page.html loads it after swagger-ui-bundle.js. */
'use strict';

/** The security schemes of the document: the prefix of their credentials, and whether Swagger UI needs it. */
const SCHEMES = {
  // Swagger UI adds "Bearer " itself.
  manager_auth: { prefix: 'Bearer ', secret: /^lks_/, withPrefix: false, inUse: 'Signed in with a session' },
  management_key: { prefix: 'ManagementKey-v1 ', secret: /^lkm_/, withPrefix: true, inUse: 'Using the key' },
};

/** How the line of an operation shows its `x-access`. */
const ACCESS = {
  public: { label: 'anyone', title: 'Anyone may call this' },
  'signed-in': { label: 'signed in', title: 'Anyone who is signed in may call this' },
  'admin-only': { label: 'admin', title: 'Only an admin who is signed in may call this' },
  key: { label: 'key', title: 'A key that was granted this endpoint may call this' },
  judged: { label: 'judged', title: 'The credential that is presented is judged' },
};

/** Matches a key or a session token anywhere in a text, because people may paste a whole response. */
const SECRET = /\blk[ms]_[0-9A-Za-z]{49}\b/;

/** Returns a pasted credential without blanks, its scheme, or the response around it. */
function bare(text) {
  const trimmed = String(text ?? '').trim();
  const secret = SECRET.exec(trimmed);
  if (secret) {
    return secret[0];
  }
  const scheme = Object.values(SCHEMES).find(({ prefix }) => trimmed.toLowerCase().startsWith(prefix.toLowerCase()));
  return scheme ? trimmed.slice(scheme.prefix.length).trim() : trimmed;
}

/** Returns the one credential of an authorization, under the scheme that its value belongs to. */
function tidy(name, text, definitions) {
  const credential = bare(text);
  const owner = Object.keys(SCHEMES).find((scheme) => SCHEMES[scheme].secret.test(credential)) ?? name;
  const { prefix, withPrefix } = SCHEMES[owner];
  const value = withPrefix ? prefix + credential : credential;
  return { [owner]: { name: owner, value, schema: definitions.get(owner).toJS() } };
}

/**
 * Keeps one credential at a time, because keys and sessions use the same header: authorizing with one logs the other
 * out. A credential may be pasted with or without its scheme, and into either field. The dialog then closes.
 */
const OneCredential = () => ({
  statePlugins: {
    auth: {
      wrapActions: {
        authorize: (authorize, system) => (payload) => {
          const given = Object.entries(payload).find(([, entry]) => bare(entry.value) !== '');
          if (!given) {
            return authorize({});
          }
          const authorized = system.authSelectors.authorized();
          const others = Object.keys(SCHEMES).filter((scheme) => authorized && authorized.has(scheme));
          if (others.length > 0) {
            system.authActions.logout(others);
          }
          const result = authorize(tidy(given[0], given[1].value, system.specSelectors.securityDefinitions()));
          system.authActions.showDefinitions(false);
          return result;
        },
      },
    },
  },
});

/** Shows the bar at the top: the product, the credential in use, and the button that changes it. */
const Masthead = () => ({
  wrapComponents: {
    AuthorizeBtnContainer: (Button, system) => (properties) => {
      const { React, authSelectors } = system;
      const authorized = authSelectors.authorized();
      const name = Object.keys(SCHEMES).find((scheme) => authorized && authorized.has(scheme));
      const key = name === 'management_key' && bare(authorized.getIn([name, 'value']));
      return React.createElement(
        'div',
        { className: 'masthead' },
        React.createElement('img', { src: 'docs/favicon.svg', alt: '', width: 32, height: 32 }),
        React.createElement('span', { className: 'masthead-name' }, 'Latchkey'),
        React.createElement(
          'span',
          { className: 'masthead-credential', role: 'status' },
          name ? SCHEMES[name].inUse : 'Nobody is signed in',
          key && React.createElement('code', null, `${key.slice(0, 8)}…`),
        ),
        React.createElement(Button, properties),
      );
    },
  },
});

/** Shows on the line of each operation who may call it. */
const AccessBadge = () => ({
  wrapComponents: {
    OperationSummaryPath: (Path, system) => (properties) => {
      const { React, specSelectors } = system;
      const { path, method } = properties.operationProps.toObject();
      const access = ACCESS[specSelectors.specJson().getIn(['paths', path, method, 'x-access', 'kind'])];
      return React.createElement(
        React.Fragment,
        null,
        React.createElement(Path, properties),
        access && React.createElement('span', { className: 'access-badge', title: access.title }, access.label),
      );
    },
  },
});

/** Shows only the names of problems until the reader opens them, because every operation has many. */
const FoldedProblems = () => ({
  wrapComponents: {
    response: (Response, system) => (properties) => {
      const { React, getComponent } = system;
      const [unfolded, setUnfolded] = React.useState(false);
      const { code, response } = properties;
      if (unfolded || !(Number(code) >= 400)) {
        return React.createElement(Response, properties);
      }
      const Markdown = getComponent('Markdown', true);
      return React.createElement(
        'tr',
        { className: 'response', 'data-code': code },
        React.createElement('td', { className: 'response-col_status' }, code),
        React.createElement(
          'td',
          { className: 'response-col_description folded-problems' },
          React.createElement(Markdown, { source: response.get('description') }),
          React.createElement(
            'button',
            { type: 'button', onClick: () => setUnfolded(true), 'aria-label': `Show what a ${code} looks like` },
            'Show the body',
          ),
        ),
      );
    },
  },
});

/**
 * The maximum length of a coloured response. Colouring a page of a thousand coupons would freeze the browser for
 * seconds.
 */
const COLOURED_MAX = 50_000;

/** Shows large responses as plain text. */
const PlainLargeAnswers = () => ({
  wrapComponents: {
    SyntaxHighlighter: (Highlighter, system) => (properties) => {
      const { createElement } = system.React;
      const { children, className } = properties;
      return typeof children === 'string' && children.length > COLOURED_MAX
        ? createElement('pre', { className }, createElement('code', null, children))
        : createElement(Highlighter, properties);
    },
  },
});

/**
 * Leaves forms empty. Swagger UI would fill them with the examples of parameters: a list would have every filter set,
 * and a deletion would contain the id of an existing row. The description shows the example instead. Also makes files
 * optional: Swagger UI silently sends nothing if a required file is missing, but the service says what is missing.
 */
const EmptyForms = () => ({
  statePlugins: {
    spec: {
      wrapActions: {
        updateJsonSpec: (update) => (spec) => {
          const operations = Object.values(spec.paths ?? {}).flatMap((item) => Object.values(item));
          operations.flatMap((operation) => operation.parameters ?? []).forEach(tellExample);
          operations.forEach((operation) => {
            const form = operation.requestBody?.content?.['multipart/form-data']?.schema?.$ref?.split('/').at(-1);
            delete spec.components?.schemas?.[form]?.required;
          });
          return update(spec);
        },
      },
    },
  },
});

function tellExample(parameter) {
  const schema = parameter.schema ?? {};
  const example = parameter.example ?? schema.example;
  delete parameter.example;
  delete schema.example;
  if (example !== undefined && schema.default === undefined && !schema.enum && parameter.in !== 'path') {
    const text = typeof example === 'string' ? example : JSON.stringify(example);
    parameter.description = `${parameter.description ?? ''} Example: \`${text}\``.trim();
  }
}

function followColorScheme() {
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const apply = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
  dark.addEventListener('change', apply);
  apply();
}

/**
 * Sends the credential with every operation that is not public. Swagger UI sends it only if the operation accepts its
 * kind. With a key that an endpoint refuses, the response should say so, and not that the credential is missing.
 */
function sendCredential(request) {
  const { authSelectors, specSelectors } = window.ui.getSystem();
  const authorized = authSelectors.authorized();
  const name = Object.keys(SCHEMES).find((scheme) => authorized && authorized.has(scheme));
  const operation = ['paths', new URL(request.url).pathname, request.method.toLowerCase()];
  const isPublic = specSelectors.specJson().getIn([...operation, 'x-access', 'kind']) === 'public';
  if (name && !isPublic) {
    request.headers.Authorization = SCHEMES[name].prefix + bare(authorized.getIn([name, 'value']));
  }
  return request;
}

/** Logs out of Swagger UI when the session has ended. */
function forgetEndedSession(response) {
  if (response.status === 204 && new URL(response.url).pathname.endsWith('/v1/sessions')) {
    window.ui.getSystem().authActions.logoutWithPersistOption(['manager_auth']);
  }
  return response;
}

followColorScheme();
window.ui = window.SwaggerUIBundle({
  dom_id: '#page',
  url: 'openapi.json',
  layout: 'BaseLayout',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: -1,
  defaultModelExpandDepth: 3,
  displayRequestDuration: true,
  persistAuthorization: true,
  responseInterceptor: forgetEndedSession,
  requestInterceptor: (request) => (request.loadSpec ? request : sendCredential(request)),
  plugins: [OneCredential, Masthead, AccessBadge, FoldedProblems, PlainLargeAnswers, EmptyForms],
  validatorUrl: null,
});
