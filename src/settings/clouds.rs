//! Microsoft's clouds (Microsoft: "National clouds").

/// One cloud.
#[derive(Debug)]
pub struct Cloud {
    /// The authority, without a slash at its end; v2.0 issuers begin with it.
    pub authority: &'static str,
    /// How v1.0 issuers begin.
    pub v1_issuer_host: &'static str,
    /// The same, where no other cloud shares it.
    pub own_v1_host: Option<&'static str>,
    /// A hint for who has a token or a key of this cloud by mistake.
    pub hint: &'static str,
    /// Other names of the authority: aliases, retired ones, and the host of v1.0 issuers.
    pub aliases: &'static [&'static str],
}

/// All clouds, the global one first.
pub const CLOUDS: [Cloud; 3] = [
    Cloud {
        authority: "https://login.microsoftonline.com",
        v1_issuer_host: "https://sts.windows.net/",
        own_v1_host: None,
        hint: ". It belongs to the global cloud: set AUTHORITY_HOST to https://login.microsoftonline.com",
        aliases: &[
            "login.microsoftonline.com",
            "login.windows.net",
            "login.microsoft.com",
            "sts.windows.net",
        ],
    },
    Cloud {
        authority: "https://login.microsoftonline.us",
        v1_issuer_host: "https://sts.windows.net/",
        own_v1_host: None,
        hint: ". It belongs to the cloud of the US government: set AUTHORITY_HOST to https://login.microsoftonline.us",
        aliases: &["login.microsoftonline.us", "login-us.microsoftonline.com"],
    },
    Cloud {
        authority: "https://login.partner.microsoftonline.cn",
        v1_issuer_host: "https://sts.chinacloudapi.cn/",
        own_v1_host: Some("https://sts.chinacloudapi.cn/"),
        hint: ". It belongs to the cloud in China: set AUTHORITY_HOST to https://login.partner.microsoftonline.cn",
        aliases: &[
            "login.partner.microsoftonline.cn",
            "login.chinacloudapi.cn",
            "sts.chinacloudapi.cn",
        ],
    },
];

/// Scopes that people often put at the end of an audience, with the slash before them.
pub const SCOPE_ENDINGS: [&str; 3] = ["/user_impersonation", "/.default", "/access_as_user"];

/// Whether an issuer is one of Microsoft's clouds: v1.0 or v2.0.
pub fn is_microsoft_issuer(issuer: &str) -> bool {
    is_v1_issuer(issuer) || is_v2_issuer(issuer)
}

/// Whether an issuer begins like a v1.0 issuer.
pub fn is_v1_issuer(issuer: &str) -> bool {
    let is_below = |cloud: &Cloud| issuer.starts_with(cloud.v1_issuer_host);
    CLOUDS.iter().any(is_below)
}

/// Whether an issuer begins like a v2.0 issuer of one of the clouds.
pub fn is_v2_issuer(issuer: &str) -> bool {
    CLOUDS.iter().any(|cloud| {
        let rest = issuer.strip_prefix(cloud.authority);
        rest.is_some_and(|rest| rest.starts_with('/'))
    })
}
