/** A name through which a client can make an upstream see another METHOD or path than the request has. */
export interface RequestOverride {
  /** The name as the software that reads it documents it. */
  name: string;
  /** The software that reads it, by default or after one documented step. */
  readBy: string;
  /** Where its documentation is. */
  source: string;
}

/** Headers that change the METHOD or the path. Forward auth refuses requests with one of them, in any spelling. */
export const OVERRIDE_HEADERS: readonly RequestOverride[] = [
  {
    name: 'X-HTTP-Method-Override',
    readBy: 'Rack (Rails), Symfony (Laravel), ASP.NET, Express method-override, Yii, Slim, WordPress, Google APIs',
    source: 'https://github.com/rack/rack/blob/main/lib/rack/method_override.rb',
  },
  {
    name: 'X-HTTP-Method',
    readBy: 'OData: SharePoint, WCF Data Services, Apache Olingo',
    source: 'https://learn.microsoft.com/openspecs/windows_protocols/ms-odata/',
  },
  {
    name: 'X-Method-Override',
    readBy: 'WebSphere Portal, Maximo and TRIRIGA; method-override middlewares, if configured',
    source: 'https://help.hcl-software.com/digital-experience/8.5/dev/uprof_rest_wp_tnlhttp.html',
  },
  {
    name: 'X-Original-URL',
    readBy: 'Symfony before 4.1.3, Laminas and Zend Framework; IIS URL Rewrite writes it',
    source: 'https://symfony.com/blog/cve-2018-14773-remove-support-for-legacy-and-risky-http-headers',
  },
  {
    name: 'X-Rewrite-URL',
    readBy: 'Symfony before 4.1.3, Laminas and Zend Framework, Yii; ISAPI_Rewrite writes it',
    source: 'https://symfony.com/blog/cve-2018-14773-remove-support-for-legacy-and-risky-http-headers',
  },
  {
    name: 'SCRIPT_NAME',
    readBy: 'Gunicorn: it cuts the value off the front of the path',
    source: 'https://docs.gunicorn.org/en/stable/settings.html#forwarder-headers',
  },
  {
    name: 'PATH_INFO',
    readBy: 'Gunicorn, for applications behind it',
    source: 'https://docs.gunicorn.org/en/stable/settings.html#forwarder-headers',
  },
  {
    name: 'X-VHM-Root',
    readBy: 'Pyramid: traversal puts the value in front of the path',
    source: 'https://docs.pylonsproject.org/projects/pyramid/en/latest/narr/vhosting.html',
  },
];

/**
 * Query parameters that change the METHOD, whatever their value. They make a path ambiguous. Frameworks that read
 * `_method` only from a form (Rack, Django, Phoenix) are not the reason for its entry.
 */
export const OVERRIDE_PARAMETERS: readonly RequestOverride[] = [
  {
    name: '_method',
    readBy:
      'Symfony (Laravel), Spring HiddenHttpMethodFilter, WordPress, Apache CXF, Jersey, Mojolicious, Gorilla, Beego',
    source: 'https://github.com/symfony/symfony/blob/7.3/src/Symfony/Component/HttpFoundation/Request.php',
  },
  {
    name: '_HttpMethod',
    readBy: 'Salesforce Platform',
    source: 'https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_update_fields.htm',
  },
  {
    name: '$httpMethod',
    readBy: 'Google Cloud APIs',
    source: 'https://cloud.google.com/apis/docs/system-parameters',
  },
  {
    name: 'X-HTTP-Method-Override',
    readBy: 'ASP.NET MVC (GetHttpMethodOverride), ServiceStack, Play 1, Firebase',
    source: 'https://learn.microsoft.com/dotnet/api/system.web.mvc.httprequestextensions.gethttpmethodoverride',
  },
  {
    name: 'x-tunneled-method',
    readBy: 'Plack::Middleware::MethodOverride, Catalyst (REST::ForBrowsers)',
    source: 'https://metacpan.org/pod/Plack::Middleware::MethodOverride',
  },
];

/**
 * Query parameters that change the METHOD, but that many APIs use for something else, such as `?method=invoice`. They
 * make a path ambiguous only if their value is a METHOD that an OpenAPI document can have, in any case.
 */
export const OVERRIDE_PARAMETERS_BY_VALUE: readonly RequestOverride[] = [
  {
    name: 'method',
    readBy: 'Restlet (TunnelService, on by default)',
    source:
      'https://github.com/restlet/restlet-framework-java/blob/2.6/org.restlet/src/main/java/org/restlet/service/TunnelService.java',
  },
];
