//! Why something couldn't be done.

use std::{io, path::Path};

use ca_pool::{AuthorityError, CommonNameError, PoolError, PoolSourceError, RotationError, SigningKeyError};

/// Why something couldn't be done. Each message names the input, the rule and the remedy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("which pool? Give --file, or --namespace and --name")]
    NoPlace,
    #[error(
        "{path} exists, and a pool is never overwritten: pods trust the CA in it.\n\
         Look at it with `signerctl ca-pool show {arguments}`. Choose another path, or move the file away if no pod depends on it"
    )]
    FileExists { path: String, arguments: String },
    #[error(
        "{path} doesn't exist. Make a pool with `signerctl ca-pool create {arguments}`, or correct the path"
    )]
    NoPoolFile { path: String, arguments: String },
    #[error("{path} doesn't exist; correct the path")]
    NoFile { path: String },
    #[error("{files} kept changing while being read; wait until whoever writes them is done, and try again")]
    Unsteady { files: String },
    #[error("{path} can't be written: its directory doesn't exist. Make it with `mkdir -p {directory}`")]
    NoDirectory { path: String, directory: String },
    #[error("{path} can't be read: {source}")]
    Read { path: String, source: io::Error },
    #[error(
        "{files} has no audit records. signer-manager writes them to the file of --audit-log-path, or to its log, as JSON with --log-format json"
    )]
    NoRecords { files: String },
    #[error("--since {since} is in the future; the revocation must have been before {now}")]
    Future { since: String, now: String },
    #[error("no record in {files} matches all criteria ({count} were read)")]
    NothingFound { files: String, count: usize },
    #[error("the output can't be written: {0}")]
    Output(io::Error),
    #[error("{file} {problem}")]
    Manifest { file: String, problem: String },
    #[error(
        "none of the manifests makes pods; give the file that has a Pod, Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Job or CronJob"
    )]
    NoWorkload,
    #[error(transparent)]
    Config(#[from] signer_manager::ConfigErrors),
    #[error("{name} can't be read as PEM: {problem}")]
    Pem { name: String, problem: String },
    #[error("{name}: {problem}")]
    NotX509 { name: String, problem: &'static str },
    #[error(transparent)]
    KeyWithoutJwk(#[from] spiffe_bundle::KeyWithoutJwk),
    #[error("{address} can't be asked for its certificate: {problem}")]
    Peer { address: String, problem: String },
    #[error("{0}")]
    NotServed(String),
    #[error("the configuration has no signer {name}; it has {known}")]
    UnknownSigner { name: String, known: String },
    #[error(
        "the pool doesn't tell when it was changed; say when the CA was revoked with --since, such as --since 2026-11-27T20:00:00Z"
    )]
    RevokedWhen,
    #[error(
        "the CA pool is neither a Secret nor a file of one that the Deployment mounts, so it can't be read from here; look at it where it is with `signerctl ca-pool show`"
    )]
    PoolElsewhere,
    #[error("{what} isn't in {cluster}. {remedy}")]
    NotThere { what: String, cluster: String, remedy: String },
    #[error("{path} can't be written: {source}")]
    Write { path: String, source: io::Error },
    #[error(
        "{path} can't be locked: {source}. Its file system must keep two changes at once apart, with flock; some of networks can't, or have no lock daemon. Nothing was changed: change a copy on a \
         local disk, and put that in its place"
    )]
    NoLock { path: String, source: io::Error },
    #[error(
        "{secret} exists in {cluster}, and a pool is never overwritten: pods trust the CA in it.\n\
         Look at it with `signerctl ca-pool show {arguments}`. Choose another name, or delete it with `{delete}` if no pod depends on it"
    )]
    SecretExists { secret: String, cluster: String, arguments: String, delete: String },
    #[error(
        "{secret} doesn't exist in {cluster}. Make a pool with `signerctl ca-pool create {arguments}`, or choose another cluster with --context"
    )]
    NoSecret { secret: String, cluster: String, arguments: String },
    #[error(
        "namespace {namespace} doesn't exist in {cluster}. Make it with `{make}`, or choose another cluster with --context"
    )]
    NoNamespace { namespace: String, cluster: String, make: String },
    #[error(
        "{place} holds no CA pool: it has {found}. A pool is the key `pool` (JSON), or `tls.crt` and `tls.key` (PEM)"
    )]
    NotAPool { place: String, found: String },
    #[error(
        "{place} can't be read: {cause}. Look at it with kubectl, and have whatever answers in the API server's place mended"
    )]
    BadSecret { place: String, cause: String },
    #[error("{place} holds no CA pool yet. Make one with `signerctl ca-pool create {arguments}`")]
    NoPool { place: String, arguments: String },
    #[error(
        "Secret {secret} is of another kind: it holds one CA (`tls.crt`, `tls.key`), which whoever made it keeps.\n\
         Make a pool of it with `signerctl ca-pool import --from-secret {secret} {arguments}`, and let the signer use that"
    )]
    TlsSecret { secret: String, arguments: String },
    #[error(
        "{path} is on a file system that can't be written. Where a Secret is mounted there, change the Secret: --namespace and --name"
    )]
    ReadOnly { path: String },
    #[error("{place} changes faster than it can be written. Nothing was changed; try again")]
    Busy { place: String },
    #[error(
        "somebody else has changed {place} meanwhile. Nothing was changed; look at it with `signerctl ca-pool show`, and begin again"
    )]
    ChangedMeanwhile { place: String },
    #[error(
        "nobody is there to ask: this is no terminal. Nothing was changed; add --yes if it shall be done all the same"
    )]
    NobodyToAsk,
    #[error("nothing was changed")]
    NotConfirmed,
    #[error("the terminal can't be read: {0}")]
    Terminal(io::Error),
    #[error(transparent)]
    Rotation(Box<RotationError>),
    #[error(
        "--after {after} is less than {least}: pods that don't have the new root by then would refuse the certificates of the new CA.\n\
         Leave --after away. If a key has leaked, use --emergency; if you know what you do, --force"
    )]
    TooSoon { after: String, least: String },
    #[error(
        "{after} is too late: {end}, so that nobody could until the new CA does, at {activation}.\nThe latest that works is --after {longest}; leave --after away for the soonest"
    )]
    TooLate { after: String, end: String, activation: String, longest: String },
    #[error(
        "{authority} isn't valid before {not_before}, and {end}: nobody could in between. Take a CA that is valid earlier, or let one of `signerctl ca-pool rotate` \
         sign meanwhile"
    )]
    ValidTooLate { authority: String, not_before: String, end: String },
    #[error(
        "CA {id} is an intermediate under {root}, and `rotate` makes a CA that is a root itself: whoever trusts {root} alone, and not the trust bundle, would \
         refuse its certificates.\n\
         Take another intermediate: signerctl ca-pool import {arguments} --cert-file <PATH> --key-file <PATH> --root-file <PATH>.\n\
         To take leave of that root, add --self-signed"
    )]
    TakesLeave { id: String, root: String, arguments: String },
    #[error(
        "{authority} isn't valid before {not_before}, and would have to sign earlier; add --after {after}"
    )]
    NotYetValid { authority: String, not_before: String, after: String },
    #[error(
        "{authority} ends at {not_after}: too early to sign even the shortest certificate, which lives for 1h"
    )]
    Expiring { authority: String, not_after: String },
    #[error("whose key has leaked? No CA of the pool signs now; name the CA with --compromised ID")]
    WhichIsCompromised,
    #[error(
        "{options} would have no effect: without CA {id}, CA {replacement} signs, as it {stands}. Nothing was changed.\n\
         If CA {replacement} is to be trusted: signerctl ca-pool rotate {arguments} --emergency --compromised {id}\n\
         If it isn't, take it out first, and do this again: signerctl ca-pool prune {arguments} --ca-id {replacement} --force"
    )]
    HasReplacement {
        options: String,
        id: String,
        replacement: String,
        stands: &'static str,
        arguments: String,
    },
    #[error(
        "{place} holds no pool yet, so no CA has signed before this one; leave --predecessor-max-lifetime away"
    )]
    NoPredecessor { place: String },
    #[error(
        "CA {id} is prepared, and becomes active at {activation}; only then can another follow.\n\
         To take it back: signerctl ca-pool prune {arguments} --ca-id {id} --force"
    )]
    UnderWay { id: String, activation: String, arguments: String },
    #[error("nothing may go now: {when}")]
    NothingToPrune { when: String },
    #[error(
        "CA {id} can't go before {until}: {why}.\nTo remove it all the same, and hear what breaks, add --force"
    )]
    StillNeeded { id: String, until: String, why: &'static str },
    #[error(
        "it is the only CA of {place}, and a pool without one is none. Add another with `signerctl ca-pool rotate`, or delete the pool"
    )]
    LastOne { place: String },
    #[error("{place} holds a CA pool, which has its root in it; leave --root-file away")]
    RootOfPool { place: String },
    #[error(
        "{place} records how long certificates of each CA may live, so --predecessor-max-lifetime would have no effect; leave it away"
    )]
    LifetimesRecorded { place: String },
    #[error("{place} holds several CAs; take one that holds only the CA to import")]
    SeveralAuthorities { place: String },
    #[error(
        "the API server of {cluster} doesn't allow it: {message}. Ask for that right, or choose another context with --context"
    )]
    Forbidden { cluster: String, message: String },
    #[error(
        "the API server of {cluster} was called without credentials that it knows, and allows nobody that: {message}.\n\
         Give the context's user a token, a client certificate or a plugin (`kubectl config set-credentials`), or choose another context with --context"
    )]
    Anonymous { cluster: String, message: String },
    #[error("the API server of {cluster} refuses it: {message}")]
    Refused { cluster: String, message: String },
    #[error(
        "the API server of {cluster} doesn't know you: {cause}.\nLog in again as that kubeconfig demands, or choose another context with --context"
    )]
    NotLoggedIn { cluster: String, cause: String },
    #[error("the API server of {cluster} can't be called: {cause}")]
    Call { cluster: String, cause: String, is_wrong_configuration: bool },
    #[error("core dumps can't be switched off (RLIMIT_CORE, PR_SET_DUMPABLE), and would hold keys: {0}")]
    CoreDumps(io::Error),
    #[error("the API server of {cluster} can't be reached: {problem}")]
    NotValidNow { cluster: String, problem: String },
    #[error(
        "the API server of {cluster} can't be reached: {cause}.\n\
         Does it run, and is there a way to it from here? Another cluster: --context NAME (`kubectl config get-contexts` has them) or --kubeconfig PATH"
    )]
    Unreachable { cluster: String, cause: String },
    #[error("{}", no_way(.0))]
    Kubeconfig(#[from] kubeconfig::Error),
    #[error(
        "this machine's clock says {own}, and that of the API server ({cluster}) {server}: this one is {by} it. No pool is changed with \
         such a clock.\nSet this machine's clock (`timedatectl` shows whether it is synchronised), or have the API server's set if that one is wrong, and try again"
    )]
    ClocksDiffer { cluster: String, own: String, server: String, by: String },
    #[error(
        "this machine's clock says {own}, which can't be: {past} is past, as {place} shows ({why}). No pool is changed with such a clock.\n\
         Set this machine's clock (`timedatectl` shows whether it is synchronised). If it is right, the pool was changed by a machine whose clock was ahead: wait until then"
    )]
    ClockBehind { place: String, own: String, past: String, why: String },
    #[error("the system gives no random numbers")]
    NoRandomness,
    #[error("this process can't start an asynchronous runtime: {0}")]
    Runtime(io::Error),
    #[error("the CA's subject: {0}. Set --subject-cn")]
    Subject(#[from] CommonNameError),
    #[error("{place}: {source}")]
    Pool { place: String, source: Box<PoolError> },
    #[error(transparent)]
    Source(Box<PoolSourceError>),
    #[error(transparent)]
    Authority(Box<AuthorityError>),
    #[error(transparent)]
    Key(#[from] SigningKeyError),
    #[error("the report can't be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Error {
    /// A file can't be read.
    pub(crate) fn read(path: &Path) -> impl Fn(io::Error) -> Self {
        |source| Self::Read { path: path.display().to_string(), source }
    }

    /// Whether whoever asks may not see it, or it isn't in this cluster: nothing is known of it, and the rest of the
    /// cluster can be looked at.
    pub(crate) fn leaves_unknown(&self) -> bool {
        matches!(self, Self::Forbidden { .. } | Self::Refused { .. } | Self::PoolElsewhere)
    }

    /// The process's exit code: 2 for what was configured wrongly, 1 for all else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Call { is_wrong_configuration: true, .. } => 2,
            Self::Kubeconfig(error) if is_in_a_file(error) => 2,
            Self::Manifest { .. } | Self::NoWorkload | Self::Config(_) => 2,
            _ => 1,
        }
    }
}

/// Whether a file must be corrected, rather than the choice of a file or a context.
fn is_in_a_file(error: &kubeconfig::Error) -> bool {
    use kubeconfig::Error as E;
    let is_choice = matches!(error, E::Missing { .. } | E::UnknownContext { .. } | E::NoContext { .. });
    error.is_wrong_configuration() && !is_choice
}

/// With the options that lead elsewhere.
fn no_way(error: &kubeconfig::Error) -> String {
    use kubeconfig::Error as E;
    match error {
        E::UnknownContext { .. } => error.to_string(),
        E::NoContext { known } => {
            format!("the kubeconfig has no current context; choose one with --context. It has: {known}")
        }
        _ => format!(
            "no cluster can be called: {error}.\nSay which kubeconfig with --kubeconfig PATH or KUBECONFIG, which context with --context NAME"
        ),
    }
}

// Boxed, so that what goes well isn't moved about in the size of what may go wrong.
impl From<AuthorityError> for Error {
    fn from(error: AuthorityError) -> Self {
        Self::Authority(error.into())
    }
}

impl From<RotationError> for Error {
    fn from(error: RotationError) -> Self {
        Self::Rotation(error.into())
    }
}

impl From<PoolSourceError> for Error {
    fn from(error: PoolSourceError) -> Self {
        Self::Source(error.into())
    }
}
