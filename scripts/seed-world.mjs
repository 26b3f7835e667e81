// What `npm run seed` creates. Days count from today: -60 is two months ago, and nothing is older.

/** The first admin, whom the server creates. */
export const ADMIN = { name: 'Ada Lovelace', email: 'ada@example.com', password: 'correct horse battery' };
/** The password of all other users. */
export const PASSWORD = 'a demo needs no secrets';
export const FIRST_DAY = -60;
export const USAGE_DAYS = 30;

/** `gone` says what happens to a user later, and on which day. */
export const USERS = [
  { name: 'Grace Hopper', email: 'grace@example.com', isAdmin: true },
  { name: 'Linus Pauling', email: 'linus@example.com', isAdmin: true, later: { day: -6, change: 'deactivated' } },
  { name: 'Margaret Hamilton', email: 'margaret@example.com', isAdmin: true, later: { day: -9, change: 'deleted' } },
  { name: 'Edsger Dijkstra', email: 'edsger@example.com', isAdmin: true, later: { day: -4, change: 'demoted' } },
  { name: 'Barbara Liskov', email: 'barbara@example.com', isAdmin: false },
  { name: 'Radia Perlman', email: 'radia@example.com', isAdmin: false, later: { day: -20, change: 'deactivated' } },
];

export const APPLICATIONS = [
  { name: 'Shop Europe', description: 'The web shop of Europe', timezone: 'Europe/Berlin', currency: 'EUR' },
  { name: 'Shop US', description: 'The web shop of the United States', timezone: 'America/New_York', currency: 'USD' },
  { name: 'Outlet', description: 'Last season, until it is sold', timezone: 'Europe/London', currency: 'GBP' },
  { name: 'Partner portal', description: 'Orders of resellers', timezone: 'Asia/Tokyo', currency: 'JPY' },
  { name: 'Pop-up store', timezone: 'Europe/Paris', currency: 'EUR', deletedOn: -12 },
];

/** `from` and `until` are days. Coupons are imported, or generated with a pattern. */
export const CAMPAIGNS = [
  { application: 'Shop Europe', name: 'Spring sale', tags: ['season'], from: -50, until: -10, imported: 1500 },
  { application: 'Shop Europe', name: 'Welcome', tags: ['newsletter'], generated: 400, pattern: 'HELLO-#####' },
  { application: 'Shop Europe', name: 'Winter sale', tags: ['season'], from: 7, until: 60, imported: 800 },
  { application: 'Shop US', name: 'Thanksgiving', tags: ['season'], from: -20, until: 5, imported: 2000 },
  { application: 'Shop US', name: 'Student discount', generated: 250, pattern: 'STUDENT-######' },
  { application: 'Outlet', name: 'Clearance', tags: ['clearance'], from: -40, imported: 600 },
  {
    application: 'Outlet',
    name: 'Flash weekend',
    tags: ['clearance'],
    state: 'disabled',
    generated: 50,
    pattern: 'FLASH-####',
  },
  {
    application: 'Partner portal',
    name: 'Reseller bonus',
    from: -30,
    until: 90,
    generated: 120,
    pattern: 'PARTNER-####-##',
  },
];

const operation = (summary, tag) => ({ summary, tags: [tag], responses: { 200: { description: 'Done' } } });

/** Services with their OpenAPI documents. `applicationId` is the parameter that holds an Application. */
export const SERVICES = [
  {
    id: 'billing',
    name: 'Billing',
    description: 'Invoices and payments',
    applicationParameter: 'applicationId',
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Billing', version: '4' },
      paths: {
        '/applications/{applicationId}/invoices': {
          get: operation('List the invoices of an Application', 'Invoices'),
          post: operation('Create an invoice', 'Invoices'),
        },
        '/applications/{applicationId}/invoices/{invoiceId}': {
          get: operation('Get an invoice', 'Invoices'),
          delete: operation('Cancel an invoice', 'Invoices'),
        },
        '/payouts': { get: operation('List all payouts', 'Payouts') },
      },
    },
  },
  {
    id: 'warehouse',
    name: 'Warehouse',
    description: 'Stock and shipments',
    openapi: {
      openapi: '3.0.3',
      info: { title: 'Warehouse', version: '1' },
      paths: {
        '/stock': { get: operation('List the stock', 'Stock') },
        '/stock/{sku}': { get: operation('Get the stock of an article', 'Stock'), put: operation('Set it', 'Stock') },
        '/shipments': { post: operation('Create a shipment', 'Shipments') },
      },
    },
  },
];

const ofApplication = (rest = '') => `/v1/applications/{applicationId}${rest}`;
const IMPORT = ['POST', ofApplication('/campaigns/{campaignId}/import_coupons')];
const EXPORT = ['GET', ofApplication('/export_coupons')];
const CAMPAIGN_LIST = ['GET', ofApplication('/campaigns')];
const CAMPAIGN = ['GET', ofApplication('/campaigns/{campaignId}')];
const NEW_CAMPAIGN = ['POST', ofApplication('/campaigns')];
const COUPON_LIST = ['GET', ofApplication('/campaigns/{campaignId}/coupons/no_total')];
const NEW_COUPONS = ['POST', ofApplication('/campaigns/{campaignId}/coupons')];
const CHANGES = ['GET', '/v1/changes'];
const USER_LIST = ['GET', '/v1/users'];
const DEACTIVATE = ['POST', '/v1/users/deactivate'];
const VERIFY = ['POST', '/v1/verifications'];
const INVOICES = ['GET', '/applications/{applicationId}/invoices', 'billing'];
const INVOICE = ['GET', '/applications/{applicationId}/invoices/{invoiceId}', 'billing'];
const NEW_INVOICE = ['POST', '/applications/{applicationId}/invoices', 'billing'];
const PAYOUTS = ['GET', '/payouts', 'billing'];
const STOCK = ['GET', '/stock', 'warehouse'];
const ARTICLE = ['GET', '/stock/{sku}', 'warehouse'];
const SET_STOCK = ['PUT', '/stock/{sku}', 'warehouse'];
const SHIPMENTS = ['POST', '/shipments', 'warehouse'];

/**
 * Creates a key from its name, creator, day of creation, day of expiry, Applications (all if empty), endpoints, and the
 * average number of requests a day. An admin deletes it on the day `deletedOn`.
 */
const key = (name, creator, created, expires, applications, endpoints, perDay = 0, deletedOn = undefined) => ({
  ...{ name, creator, created, expires, applications, endpoints, perDay, deletedOn },
});

export const KEYS = [
  // Valid, for some Applications or all of them
  key('Coupon importer', 'ada', -58, 300, ['Shop Europe'], [IMPORT], 6),
  key('Coupon importer US', 'ada', -58, 300, ['Shop US'], [IMPORT], 5),
  key('Nightly coupon export', 'grace', -55, 180, ['Shop Europe', 'Shop US'], [EXPORT, CAMPAIGN_LIST], 2),
  key('Campaign dashboard', 'grace', -54, 200, [], [CAMPAIGN_LIST, CAMPAIGN], 14),
  key('Newsletter tool', 'grace', -50, 120, ['Shop Europe'], [CAMPAIGN_LIST, COUPON_LIST], 9),
  key('Point of sale Berlin', 'ada', -48, 365, ['Shop Europe'], [COUPON_LIST, CAMPAIGN], 18),
  key('Point of sale Boston', 'ada', -48, 365, ['Shop US'], [COUPON_LIST, CAMPAIGN], 15),
  key('Partner onboarding', 'grace', -45, 90, ['Partner portal'], [NEW_CAMPAIGN, NEW_COUPONS], 1),
  key('Audit archive', 'ada', -44, 400, [], [CHANGES], 1),
  key('Directory sync', 'ada', -43, 365, [], [USER_LIST, DEACTIVATE], 3),
  key('Gateway', 'grace', -42, 365, [], [VERIFY], 0),
  key('Invoice reader', 'grace', -40, 150, ['Shop Europe', 'Outlet'], [INVOICES, INVOICE], 11),
  key('Accounting export', 'ada', -38, 250, [], [INVOICES, PAYOUTS], 4),
  key('Checkout', 'ada', -36, 365, ['Shop US'], [NEW_INVOICE, INVOICE, COUPON_LIST], 20),
  key('Stock monitor', 'grace', -33, 100, [], [STOCK, ARTICLE], 12),
  key('Fulfilment', 'grace', -30, 220, [], [SHIPMENTS, ARTICLE, SET_STOCK], 10),
  key('Outlet price labels', 'ada', -25, 60, ['Outlet'], [CAMPAIGN_LIST], 3),
  key('Mobile app', 'grace', -21, 180, ['Shop Europe', 'Shop US'], [CAMPAIGN_LIST, COUPON_LIST], 16),
  key('Load test', 'ada', -3, 30, ['Outlet'], [CAMPAIGN_LIST, COUPON_LIST], 25),
  key('Not used yet', 'grace', -1, 90, ['Partner portal'], [CAMPAIGN_LIST]),
  // Valid, and about to expire
  key('Agency access', 'grace', -57, 2, ['Shop Europe'], [CAMPAIGN_LIST, CAMPAIGN, NEW_CAMPAIGN], 2),
  key('Thanksgiving microsite', 'ada', -24, 5, ['Shop US'], [COUPON_LIST], 13),
  key('Data warehouse trial', 'ada', -29, 1, [], [EXPORT, INVOICES], 5),
  key('Contractor', 'grace', -16, 6, ['Outlet', 'Partner portal'], [NEW_COUPONS], 1),
  // Expired
  key('Migration 2026', 'ada', -59, -35, [], [IMPORT, NEW_CAMPAIGN], 0),
  key('Spring sale importer', 'grace', -52, -10, ['Shop Europe'], [IMPORT, COUPON_LIST], 7),
  key('Old dashboard', 'grace', -56, -14, [], [CAMPAIGN_LIST], 8),
  key('Stock take', 'ada', -28, -21, [], [STOCK, SET_STOCK], 22),
  key('Intern', 'grace', -35, -2, ['Outlet'], [CAMPAIGN_LIST], 2),
  // Not working, because their creator was deactivated or deleted
  key('Customer support', 'linus', -47, 200, [], [COUPON_LIST, INVOICES], 9),
  key('Chat bot', 'linus', -39, 300, ['Shop Europe'], [COUPON_LIST], 12),
  key('Refund tool', 'linus', -32, 100, ['Shop US'], [INVOICE], 4),
  key('Weekly report', 'linus', -26, 365, [], [CAMPAIGN_LIST, PAYOUTS], 1),
  key('Flight software', 'margaret', -46, 365, ['Outlet'], [CAMPAIGN], 6),
  key('Priority display', 'margaret', -37, 365, [], [STOCK], 8),
  key('Simulator', 'margaret', -31, 80, ['Shop US'], [CAMPAIGN_LIST], 5),
  // Without an Application, because it was deleted
  key('Pop-up till', 'ada', -34, 60, ['Pop-up store'], [COUPON_LIST], 10),
  key('Pop-up signage', 'grace', -27, 60, ['Pop-up store'], [CAMPAIGN_LIST], 3),
  // Valid, but refused at endpoints that need an admin, because their creator no longer is one
  key('Offboarding', 'edsger', -41, 365, [], [USER_LIST, DEACTIVATE], 2),
  key('Compliance review', 'edsger', -23, 120, [], [CHANGES, CAMPAIGN_LIST], 3),
  // Deleted: only the audit log still contains them
  key('Leaked in a repository', 'ada', -22, 365, [], [CAMPAIGN_LIST, EXPORT], 12, -5),
  key('Created by mistake', 'grace', -15, 30, [], [CHANGES], 0, -15),
];
