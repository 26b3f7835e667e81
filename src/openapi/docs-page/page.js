/* Swagger UI as Latchkey wants it. Loaded by page.html after swagger-ui-bundle.js. */
'use strict';

/** The security schemes of the document: how their credentials are written, and what Swagger UI must be given. */
const SCHEMES = {
  // Swagger UI puts "Bearer " in front by itself.
  manager_auth: { prefix: 'Bearer ', secret: /^lks_/, withPrefix: false, inUse: 'Signed in with a session' },
  management_key: { prefix: 'ManagementKey-v1 ', secret: /^lkm_/, withPrefix: true, inUse: 'Using the key' },
};

/** What `x-access` of an operation is called on its line. */
const ACCESS = {
  public: { label: 'anyone', title: 'Anyone may call this' },
  'signed-in': { label: 'signed in', title: 'Anyone who is signed in may call this' },
  'admin-only': { label: 'admin', title: 'Only an admin who is signed in may call this' },
  key: { label: 'key', title: 'A key that was granted this endpoint may call this' },
  judged: { label: 'judged', title: 'The credential that is presented is judged' },
};

/** A key or a session token, wherever it stands: whoever copies the whole answer that has it means it. */
const SECRET = /\blk[ms]_[0-9A-Za-z]{49}\b/;

/** A pasted credential without what is around it: blanks, its scheme, or the answer in which it was shown. */
function bare(text) {
  const trimmed = String(text ?? '').trim();
  const secret = SECRET.exec(trimmed);
  if (secret) {
    return secret[0];
  }
  const scheme = Object.values(SCHEMES).find(({ prefix }) => trimmed.toLowerCase().startsWith(prefix.toLowerCase()));
  return scheme ? trimmed.slice(scheme.prefix.length).trim() : trimmed;
}

/** The one credential that an authorization is about, under the scheme that its value belongs to. */
function tidy(name, text, definitions) {
  const credential = bare(text);
  const owner = Object.keys(SCHEMES).find((scheme) => SCHEMES[scheme].secret.test(credential)) ?? name;
  const { prefix, withPrefix } = SCHEMES[owner];
  const value = withPrefix ? prefix + credential : credential;
  return { [owner]: { name: owner, value, schema: definitions.get(owner).toJS() } };
}

/**
 * Keys and sessions go into the same header, so that authorizing with one logs the other out. Pasting works with and
 * without the scheme in front, and into either field. The dialog closes: there is nothing else to do in it.
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

/** The bar at the top: whose page this is, which credential is in use, and the button that changes it. */
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

/** Shows on the line of each operation who gets in. */
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

/** Every operation can go wrong in many ways: only their names are shown until somebody asks for the bodies. */
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

/** Characters of an answer up to which it is coloured: a page of a thousand coupons would freeze the browser for seconds. */
const COLOURED_MAX = 50_000;

/** Shows large answers as plain text. */
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
 * Swagger UI fills forms with the examples of parameters. A list would then be filtered by everything at once, and a
 * deletion begin with somebody's id: such examples are told instead. And where a file is missing it does nothing at all,
 * without a word: so the service is asked, which says what is missing.
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
 * Swagger UI sends a credential only where the document asks for one of its kind. Whoever tries an endpoint with a key
 * that does not open it should read that, not that there is no credential.
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

/** Whoever has ended their session is not signed in any more. */
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
