/** The parameter that holds an Application's id where the request that registers a service does not say which does. */
export const DEFAULT_APPLICATION_PARAMETER = 'applicationId';
