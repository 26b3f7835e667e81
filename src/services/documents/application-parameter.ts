/** The parameter that holds the Application id, unless the registration names another one. */
export const DEFAULT_APPLICATION_PARAMETER = 'applicationId';
