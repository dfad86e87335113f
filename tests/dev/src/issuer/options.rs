//! The command line of the issuer.

use super::is_guid;
use crate::Result;

/// The tenant, the API, the client and the user that everything shows.
pub(crate) const TENANT: &str = "11111111-2222-3333-4444-555555555555";
pub(crate) const API: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
pub(crate) const CLIENT: &str = "bbbbbbbb-0000-0000-0000-000000000001";
pub(crate) const USER: &str = "alice@contoso.example";

pub(super) const HELP: &str = "\
The local issuer: Microsoft Entra ID's endpoints on loopback, for development only.

  --port N                      port on 127.0.0.1; 0 or absent: a free one
  --tenant GUID                 the tenant of `common`, `organizations` and the page
  --api GUID                    the API's application id, the `aud` of v2.0 tokens
  --call URL                    the API that the page calls (http://localhost:3000/api)
  --keys N,N                    the keys that sign, one after the other (1,2,3,4)
  --kid PREFIX                  stands before each `kid`
  --no-code-challenge-methods   leaves them out of the metadata, as Entra does
  --interaction-required        answers the on-behalf-of grant with a claims challenge
";

/// The command line, read.
pub(crate) struct Options {
    pub(crate) port: u16,
    pub(crate) tenant: String,
    pub(crate) api: String,
    pub(crate) call: String,
    pub(crate) keys: Vec<usize>,
    pub(crate) kid: String,
    pub(crate) has_code_challenge_methods: bool,
    pub(crate) requires_interaction: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            port: 0,
            tenant: TENANT.to_owned(),
            api: API.to_owned(),
            call: "http://localhost:3000/api".to_owned(),
            keys: vec![1, 2, 3, 4],
            kid: String::new(),
            has_code_challenge_methods: true,
            requires_interaction: false,
        }
    }
}

impl Options {
    /// None when help is asked for.
    pub(super) fn read(words: &[&str]) -> Result<Option<Options>> {
        let mut options = Options::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--help" => return Ok(None),
                "--no-code-challenge-methods" => options.has_code_challenge_methods = false,
                "--interaction-required" => options.requires_interaction = true,
                name => {
                    let value = *words
                        .next()
                        .ok_or_else(|| format!("{name}: unknown, or has no value"))?;
                    options
                        .set(name, value)
                        .ok_or_else(|| format!("{name} {value}: not understood"))?;
                }
            }
        }
        Ok(Some(options))
    }

    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "--port" => self.port = value.parse().ok()?,
            "--tenant" if is_guid(value) => self.tenant = value.to_owned(),
            "--api" if is_guid(value) => self.api = value.to_owned(),
            "--call" => self.call = value.to_owned(),
            "--keys" => {
                let keys = value
                    .split(',')
                    .map(|key| key.parse().ok().filter(|key| (1..=4).contains(key)));
                self.keys = keys.collect::<Option<_>>()?;
            }
            "--kid" => self.kid = value.to_owned(),
            _ => return None,
        }
        Some(())
    }
}
