//! Programs that give credentials (client-go `plugin/pkg/client/auth/exec`; Kubernetes' documentation,
//! "client-go credential plugins").

use std::{io::IsTerminal as _, path::MAIN_SEPARATOR, process::Stdio, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt as _, process::Command, time::timeout};
use zeroize::Zeroizing;

use crate::{
    Error,
    fields::{Content, Fields},
    files::{self, LARGEST},
};

/// A program, and how it is called.
pub(crate) struct Exec {
    user: String,
    command: String,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    version: String,
    install_hint: Option<String>,
    interactive: Interactive,
    /// What the program is told of the cluster, if it wants that.
    cluster: Option<Value>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Interactive {
    Never,
    IfAvailable,
    Always,
}

/// A certificate and its key, each in PEM.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KeyPair {
    pub(crate) certificate: Zeroizing<Vec<u8>>,
    pub(crate) key: Zeroizing<Vec<u8>>,
}

/// What a program gave.
#[derive(Default)]
pub(crate) struct ExecCredential {
    pub(crate) token: Option<Zeroizing<String>>,
    pub(crate) certificate: Option<KeyPair>,
    pub(crate) expires: Option<Timestamp>,
}

/// The most bytes of an answer: a token, or a chain of certificates with a key.
const LARGEST_ANSWER: usize = 256 * 1024;

/// After how long it is said that a program is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a program may run: kubelogin waits for three minutes for somebody to log in, by default.
const LONGEST_RUN: Duration = Duration::from_secs(5 * 60);

const V1: &str = "client.authentication.k8s.io/v1";
const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";

/// The extension of a cluster that is meant for its program.
const EXTENSION: &str = "client.authentication.k8s.io/exec";

impl Exec {
    pub(crate) fn parse(exec: &Fields<'_>, cluster: &Fields<'_>) -> Result<Self, Error> {
        let command = exec.text("command")?.ok_or_else(|| exec.wrong("its `exec` has no `command`"))?;
        let version = exec.text("apiVersion")?.unwrap_or_default();
        if ![V1, V1BETA1].contains(&version) {
            return Err(exec.wrong(&format!(
                "the `apiVersion` of its `exec` is {version:?}; it must be {V1} or {V1BETA1}, as a newer release of the plugin writes it"
            )));
        }
        let interactive = match exec.text("interactiveMode")? {
            Some("Never") => Interactive::Never,
            Some("IfAvailable") => Interactive::IfAvailable,
            Some("Always") => Interactive::Always,
            // the default of v1beta1 alone
            None if version == V1BETA1 => Interactive::IfAvailable,
            _ => {
                return Err(
                    exec.wrong("the `interactiveMode` of its `exec` must be Never, IfAvailable or Always")
                );
            }
        };
        let command = if command.contains(MAIN_SEPARATOR) {
            exec.relative(command).to_string_lossy().into_owned()
        } else {
            command.to_owned()
        };
        let cluster = exec.flag("provideClusterInfo")?.then(|| describe(cluster)).transpose()?;
        Ok(Self {
            user: exec.name(),
            command,
            arguments: exec.texts("args")?,
            variables: exec.pairs("env")?,
            version: version.to_owned(),
            install_hint: exec.text("installHint")?.map(printable),
            interactive,
            cluster,
        })
    }

    /// Runs the program, for so long at most as somebody may take to log in.
    pub(crate) async fn run(&self) -> Result<ExecCredential, Error> {
        let mut answer = std::pin::pin!(self.answer());
        let early = timeout(PATIENCE, &mut answer).await;
        if early.is_err() {
            tracing::info!(plugin = self.command, "waiting for the plugin that gives the credentials");
        }
        let answer = match early {
            Ok(answer) => Ok(answer),
            Err(_) => timeout(LONGEST_RUN - PATIENCE, answer).await,
        };
        match answer {
            Ok(answer) => self.read(&answer?),
            Err(_) => Err(self.failed(format!(
                "the plugin {:?} gave no answer in {} minutes, and was ended; run it by hand to see what it waits for",
                self.command,
                LONGEST_RUN.as_secs() / 60
            ))),
        }
    }

    async fn answer(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let command = &self.command;
        let is_interactive = self.interactive != Interactive::Never && std::io::stdin().is_terminal();
        if self.interactive == Interactive::Always && !is_interactive {
            return Err(self.failed(format!(
                "the plugin {command:?} wants to ask (`interactiveMode: Always`), and this is no terminal"
            )));
        }
        let mut spec = json!({ "interactive": is_interactive });
        if let Some(cluster) = &self.cluster {
            spec["cluster"] = cluster.clone();
        }
        let info = json!({ "apiVersion": self.version, "kind": "ExecCredential", "spec": spec });
        let stdin = if is_interactive { Stdio::inherit() } else { Stdio::null() };
        let mut program = Command::new(command);
        program.args(&self.arguments).envs(self.variables.iter().map(|(name, value)| (name, value)));
        program.env("KUBERNETES_EXEC_INFO", info.to_string());
        // what it says to people is theirs to see; its answer may hold a secret, and never leaves this
        // function
        program.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        let mut running = program.spawn().map_err(|error| self.not_run(&error))?;
        let mut answer = Zeroizing::new(Vec::with_capacity(LARGEST_ANSWER + 1));
        if let Some(output) = running.stdout.take() {
            output
                .take(LARGEST_ANSWER as u64 + 1)
                .read_to_end(&mut answer)
                .await
                .map_err(|error| self.not_run(&error))?;
        }
        if answer.len() > LARGEST_ANSWER {
            return Err(self.failed(format!(
                "the plugin {command:?} answers with more than {} KiB",
                LARGEST_ANSWER / 1024
            )));
        }
        let status = running.wait().await.map_err(|error| self.not_run(&error))?;
        if !status.success() {
            return Err(
                self.failed(format!("the plugin {command:?} failed ({status}); run it by hand to see why"))
            );
        }
        Ok(answer)
    }

    fn not_run(&self, error: &std::io::Error) -> Error {
        let hint = match (error.kind(), &self.install_hint) {
            (std::io::ErrorKind::NotFound, Some(hint)) => format!("; its install hint:\n{hint}"),
            (std::io::ErrorKind::NotFound, None) => "; install it, or correct `command`".to_owned(),
            _ => format!(": {error}"),
        };
        let found =
            if error.kind() == std::io::ErrorKind::NotFound { "isn't installed" } else { "can't be run" };
        self.failed(format!("the plugin {:?}, which gives its credentials, {found}{hint}", self.command))
    }

    fn read(&self, answer: &[u8]) -> Result<ExecCredential, Error> {
        let wrong = |problem: &str| self.failed(format!("the plugin {:?} answers {problem}", self.command));
        // serde_saphyr reads JSON too; its messages may quote what it reads
        let answer: Answer =
            serde_saphyr::from_slice(answer).map_err(|_| wrong("with what is no ExecCredential"))?;
        if answer.api_version.as_deref() != Some(&self.version)
            || answer.kind.as_deref() != Some("ExecCredential")
        {
            return Err(wrong(&format!(
                "with another kind or version than ExecCredential of {}; make `apiVersion` the plugin's",
                self.version
            )));
        }
        let status = answer.status.ok_or_else(|| wrong("without a `status`"))?;
        let given = |text: Option<String>| text.filter(|text| !text.is_empty()).map(Zeroizing::new);
        let token = given(status.token);
        let certificate = match (given(status.client_certificate_data), given(status.client_key_data)) {
            (Some(certificate), Some(key)) => Some(KeyPair {
                certificate: Zeroizing::new(certificate.as_bytes().to_vec()),
                key: Zeroizing::new(key.as_bytes().to_vec()),
            }),
            (None, None) => None,
            _ => return Err(wrong("with a certificate or a key alone; both belong together")),
        };
        if token.is_none() && certificate.is_none() {
            return Err(wrong("with neither a token nor a certificate"));
        }
        let expires = given(status.expiration_timestamp)
            .map(|time| {
                time.parse().map_err(|_| wrong("with an `expirationTimestamp` that is not a valid time"))
            })
            .transpose()?;
        Ok(ExecCredential { token, certificate, expires })
    }

    fn failed(&self, problem: String) -> Error {
        Error::Login { entry: self.user.clone(), problem }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    api_version: Option<String>,
    kind: Option<String>,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// The cluster, as client-go tells it to a plugin (`rest/exec.go`).
fn describe(cluster: &Fields<'_>) -> Result<Value, Error> {
    let mut info = serde_json::Map::new();
    for field in ["server", "tls-server-name", "proxy-url"] {
        if let Some(text) = cluster.text(field)? {
            info.insert(field.to_owned(), text.into());
        }
    }
    for field in ["insecure-skip-tls-verify", "disable-compression"] {
        if cluster.flag(field)? {
            info.insert(field.to_owned(), true.into());
        }
    }
    let authorities = match cluster.content("certificate-authority")? {
        Some(Content::Data(data)) => Some(data),
        Some(Content::File(path)) => files::read(&path, LARGEST)?,
        None => None,
    };
    if let Some(authorities) = authorities {
        info.insert("certificate-authority-data".to_owned(), STANDARD.encode(&*authorities).into());
    }
    info.insert("config".to_owned(), cluster.extension(EXTENSION).cloned().unwrap_or_default());
    Ok(Value::Object(info))
}

/// A hint is shown on a terminal; control characters could do things to it.
fn printable(text: &str) -> String {
    text.trim().chars().map(|each| if each.is_control() && each != '\n' { ' ' } else { each }).collect()
}
