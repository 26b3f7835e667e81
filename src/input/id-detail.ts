/** The endpoints that list the ids of a parameter or field, for callers that send a name or a wrong id. */
const LISTS: Readonly<Record<string, { of: string; endpoint: string }>> = {
  applicationId: { of: 'an Application', endpoint: 'GET /v1/applications' },
  allowedApplicationIds: { of: 'an Application', endpoint: 'GET /v1/applications' },
  campaignId: { of: 'a campaign', endpoint: 'GET /v1/applications/{applicationId}/campaigns' },
  apiKeyId: { of: 'a key', endpoint: 'GET /v1/api_keys' },
  managementKeyId: { of: 'a key', endpoint: 'GET /v1/api_keys' },
  userId: { of: 'a user', endpoint: 'GET /v1/users' },
  createdBy: { of: 'a user', endpoint: 'GET /v1/users' },
};

/** Returns the detail for a value that is not an id, and where to find the id. Returns undefined for other fields. */
export function idDetail(name: string): string | undefined {
  const [field = ''] = name.split('[');
  const list = Object.hasOwn(LISTS, field) ? LISTS[field] : undefined;
  return list && `${name} must be the id of ${list.of}, a whole number: ${list.endpoint} lists the ids`;
}
