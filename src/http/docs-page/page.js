/* Swagger UI as Latchkey wants it. Loaded by page.html after swagger-ui-bundle.js. */
'use strict';

/** How a credential of each scheme of the document is written, and what Swagger UI must be given for it. */
const SCHEMES = {
  management_key: { prefix: 'ManagementKey-v1 ', secret: /^lkm_/, withPrefix: true },
  // Swagger UI puts "Bearer " in front by itself.
  manager_auth: { prefix: 'Bearer ', secret: /^lks_/, withPrefix: false },
};

/** A pasted credential without blanks around it and without its scheme in front. */
function bare(text) {
  const trimmed = text.trim();
  const prefix = Object.values(SCHEMES)
    .map((scheme) => scheme.prefix.trim().toLowerCase())
    .find((name) => trimmed.toLowerCase().startsWith(`${name} `));
  return prefix ? trimmed.slice(prefix.length).trim() : trimmed;
}

/** The one credential that an authorization is about, under the scheme that its value belongs to. */
function tidy([name, { value, schema }], definitions) {
  const credential = bare(String(value ?? ''));
  const owner = Object.keys(SCHEMES).find((scheme) => SCHEMES[scheme].secret.test(credential)) ?? name;
  const { prefix, withPrefix } = SCHEMES[owner];
  return {
    [owner]: {
      name: owner,
      value: withPrefix ? prefix + credential : credential,
      schema: owner === name ? schema : definitions.get(owner).toJS(),
    },
  };
}

/**
 * Keys and sessions go into the same header, so that authorizing with one logs the other out. Pasting works with and
 * without the scheme in front, and into either field.
 */
const OneCredential = () => ({
  statePlugins: {
    auth: {
      wrapActions: {
        authorize: (authorize, system) => (payload) => {
          const given = Object.entries(payload).find(([, { value }]) => bare(String(value ?? '')) !== '');
          if (!given) {
            return authorize({});
          }
          system.authActions.logout(Object.keys(SCHEMES));
          return authorize(tidy(given, system.specSelectors.securityDefinitions()));
        },
      },
    },
  },
});

function followColorScheme() {
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const apply = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
  dark.addEventListener('change', apply);
  apply();
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
  filter: true,
  persistAuthorization: true,
  plugins: [OneCredential],
  showCommonExtensions: true,
  syntaxHighlight: { theme: 'nord' },
  tryItOutEnabled: false,
  validatorUrl: null,
});
