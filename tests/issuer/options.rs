//! Command line.

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Local issuer: Microsoft Entra ID's endpoints on loopback, for development only.

usage: issuer [--port N] [--api URL] [--verbose]

  --port N     port on 127.0.0.1; 0 or absent: a free one
  --api URL    the API that the sign-in page calls (http://localhost:3000/api)
  --verbose    one line per request on stderr
  --help       this text
";

/// The command line, read.
pub(crate) struct Options {
    /// TCP port; 0 lets the system choose.
    pub(crate) port: u16,
    /// URL of the API that the sign-in page calls.
    pub(crate) api: String,
    /// Whether each request is logged to stderr.
    pub(crate) verbose: bool,
}

impl Options {
    /// `None` when help was asked for.
    pub(crate) fn read(
        mut arguments: impl Iterator<Item = String>,
    ) -> Result<Option<Options>, String> {
        let mut options = Options {
            port: 0,
            api: "http://localhost:3000/api".to_owned(),
            verbose: false,
        };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--help" | "-h" => return Ok(None),
                "--verbose" => options.verbose = true,
                "--port" => {
                    let text = arguments.next().ok_or("--port needs a number")?;
                    options.port = text
                        .parse()
                        .map_err(|_| format!("--port {text}: not a port"))?;
                }
                "--api" => {
                    options.api = arguments.next().ok_or("--api needs a URL")?;
                    if !options.api.starts_with("http://") && !options.api.starts_with("https://") {
                        return Err(format!("--api {}: not an http(s) URL", options.api));
                    }
                }
                _ => return Err(format!("unknown argument {argument}")),
            }
        }
        Ok(Some(options))
    }
}
