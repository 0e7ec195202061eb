//! A PostgreSQL of the test's own.

use std::{
    fs,
    io::Write,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;
use test_cluster::pod_volume::{Access, Ca, Volume};

use crate::recipe::{Process, adapted, block, free_port, program, until};

/// PostgreSQL with its reloading loop, and the volume that they see.
pub(crate) struct Postgres {
    port: u16,
    pub(crate) account: Account,
    pub(crate) volume: Volume,
    pub(crate) ca: Ca,
    dir: TempDir,
    processes: Vec<Process>,
}

/// As whom the programs run: an account of its own if the test is root.
#[derive(Clone, Copy)]
pub(crate) struct Account {
    pub(crate) user: u32,
    pub(crate) group: u32,
    pub(crate) switch: bool,
}

impl Account {
    fn find() -> Self {
        let id = |option: &str, of: &[&str]| -> u32 {
            let output = Command::new("id").arg(option).args(of).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            text.trim().parse().expect("this test needs the user postgres: apt-get install postgresql")
        };
        match id("-u", &[]) {
            0 => Self { user: id("-u", &["postgres"]), group: id("-g", &["postgres"]), switch: true },
            user => Self { user, group: id("-g", &[]), switch: false },
        }
    }

    fn run(self, program: &Path) -> Command {
        if !self.switch {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args([
            "--reuid",
            &self.user.to_string(),
            "--regid",
            &self.group.to_string(),
            "--clear-groups",
        ]);
        command.arg(program);
        command
    }
}

/// PostgreSQL's own programs aren't in the PATH of Debian.
fn of_postgres(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().map_while(Result::ok);
    let mut folders: Vec<String> = versions.map(|v| v.path().join("bin").to_str().unwrap().into()).collect();
    folders.sort_unstable_by(|one, other| other.cmp(one));
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    program(name, &folders, "postgresql")
}

impl Postgres {
    pub(crate) fn start() -> Self {
        let account = Account::find();
        let (dir, volume, port, ca) =
            (TempDir::new().unwrap(), Volume::new(), free_port(), Ca::new("servers"));
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let data = dir.path().join("data");
        fs::create_dir(&data).unwrap();
        chown(&data, Some(account.user), Some(account.group)).unwrap();
        let initdb =
            account.run(&of_postgres("initdb")).args(["-A", "peer", "-N", "-D"]).arg(&data).output().unwrap();
        assert!(initdb.status.success(), "{initdb:?}");
        let tls = volume.dir().to_str().unwrap().to_owned();
        let own = adapted("postgresql.conf", &[("/run/tls", &tls)]);
        let port_line = format!(
            "port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\nfsync = off\n",
            data.display()
        );
        let more = fs::read_to_string(data.join("postgresql.conf")).unwrap();
        fs::write(data.join("postgresql.conf"), more + &own + &port_line).unwrap();
        fs::write(data.join("pg_hba.conf"), block("pg_hba.conf")).unwrap();
        fs::write(data.join("pg_ident.conf"), block("pg_ident.conf")).unwrap();
        let mut postgres = Self { port, account, volume, ca, dir, processes: Vec::new() };
        postgres.volume.set_access(Access { mode: 0o600, user: Some(account.user), group: None });
        postgres.mount(&postgres.ca.dns("server.db.svc").bundle(), &postgres.ca.root());
        let mut server = account.run(&of_postgres("postgres"));
        postgres.keep(server.arg("-D").arg(&data), "postgres.log");
        until("PostgreSQL must come up", || postgres.locally("select 1").status.success().then_some(()));
        assert!(postgres.locally("create role shop login").status.success());
        postgres.follow();
        postgres
    }

    /// Starts the loop of the page. Its first reload, for which there is no need, is over when this returns.
    fn follow(&mut self) {
        let socket = format!("psql -h {} -p {}", self.data().display(), self.port);
        let tls = self.volume.dir().to_str().unwrap().to_owned();
        let changes = [("/run/tls", &*tls), ("sleep 5", "sleep 0.2"), ("psql", &*socket)];
        let script = adapted("postgresql-reload.sh", &changes);
        let mut shell = self.account.run(Path::new("sh"));
        self.keep(shell.args(["-c", &script]), "reload.log");
        until("the loop must reload", || self.log().contains("received SIGHUP").then_some(()));
    }

    fn keep(&mut self, command: &mut Command, log: &str) {
        // reloading ends first
        self.processes.insert(0, Process::start(command, &self.dir.path().join(log)));
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("postgres.log")).unwrap()
    }

    pub(crate) fn mount(&self, bundle: &str, client_roots: &str) {
        self.volume
            .write([("credentials.pem", bundle.to_owned()), ("client-roots.pem", client_roots.to_owned())]);
    }

    /// As the database's owner, over the socket.
    fn locally(&self, sql: &str) -> Output {
        let mut psql = self.account.run(Path::new("psql"));
        psql.args(["-qAtX", "-d", "postgres", "-c", sql, "-p", &self.port.to_string(), "-h"]);
        psql.arg(self.data()).output().unwrap()
    }

    /// The page's command, as a client with these files.
    pub(crate) fn psql(&self, files: &Volume) -> Command {
        let tls = files.dir().to_str().unwrap().to_owned();
        let here = format!("host=server.db.svc hostaddr=127.0.0.1 port={}", self.port);
        let changes =
            [("/run/tls", &*tls), ("host=server.db.svc port=5432", &here), ("psql ", "exec psql -qAtX ")];
        let mut shell = self.account.run(Path::new("sh"));
        shell.args(["-c", adapted("psql", &changes).trim_end()]);
        shell
    }

    pub(crate) fn logs_in(&self, files: &Volume) -> Result<String, String> {
        let mut psql = self
            .psql(files)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = psql.stdin.take().unwrap().write_all(b"select current_user;\n");
        let output = psql.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim().to_owned();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    /// The files of a client's pod: another volume, with a certificate of `bundle`.
    pub(crate) fn client(&self, bundle: String) -> Volume {
        let files = Volume::new();
        files.set_access(Access { mode: 0o600, user: Some(self.account.user), group: None });
        files.write([("credentials.pem", bundle), ("server-roots.pem", self.ca.root())]);
        files
    }

    /// Waits until the certificate in `bundle` is what is shown to clients.
    pub(crate) fn shows(&self, bundle: &str) {
        let expected = x509(bundle);
        until("the renewed certificate must be shown", || (self.shown() == expected).then_some(()));
    }

    /// The serial number of the certificate that is shown to clients.
    pub(crate) fn shown(&self) -> String {
        let address = format!("127.0.0.1:{}", self.port);
        until("a certificate must be shown", || {
            let output = Command::new("openssl")
                .args(["s_client", "-starttls", "postgres", "-connect", &address])
                .stdin(Stdio::null())
                .output()
                .unwrap();
            Some(x509(&String::from_utf8_lossy(&output.stdout))).filter(|serial| !serial.is_empty())
        })
    }
}

/// The serial number of the first certificate, as openssl says it.
fn x509(pem: &str) -> String {
    let mut openssl = Command::new("openssl")
        .args(["x509", "-noout", "-serial"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    openssl.stdin.take().unwrap().write_all(pem.as_bytes()).unwrap();
    String::from_utf8(openssl.wait_with_output().unwrap().stdout).unwrap()
}
