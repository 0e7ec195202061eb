//! The recipes of `docs/using-certificates.md`: read from the page, so that it can't be wrong, and followed
//! with Debian's programs.

#![allow(dead_code, reason = "each test program uses its part")]

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

const PAGE: &str = include_str!("../../../../docs/using-certificates.md");
/// Far longer than anything takes.
pub(crate) const SOON: Duration = Duration::from_secs(180);

/// The block of the page that follows `<!-- tested: NAME -->`.
pub(crate) fn block(name: &str) -> &'static str {
    let mark = format!("<!-- tested: {name} -->\n```");
    let (_, rest) = PAGE.split_once(&mark).unwrap_or_else(|| panic!("the page must have {mark:?}"));
    let (_, rest) = rest.split_once('\n').unwrap();
    rest.split_once("```\n").unwrap().0
}

/// The block with paths and ports of this test in place of those of a pod, each of which it must have.
pub(crate) fn adapted(name: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(block(name).to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{name} must have {from:?}:\n{text}");
        text.replace(from, to)
    })
}

/// A program of Debian's: in one of these folders, or in the search path.
pub(crate) fn program(name: &str, folders: &[&str], package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = folders.iter().map(PathBuf::from).chain(std::env::split_paths(&path));
    let found = folders.map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("this test needs {name}: apt-get install {package}"))
}

/// A port that nobody listens on, and that no outgoing connection is given: those that the kernel hands out
/// (from 32768 on) may be taken before they are used.
pub(crate) fn free_port() -> u16 {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    loop {
        let port = 12_000 + (std::process::id() * 64 + TRIED.fetch_add(1, Ordering::Relaxed)) % 20_000;
        let port = u16::try_from(port).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// A process that ends with the test, its output in a file.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    pub(crate) fn start(command: &mut Command, log: &Path) -> Self {
        let file = fs::File::create(log).unwrap();
        let child =
            command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
        Self { child, log: log.to_owned() }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// The processes that it has started itself.
    pub(crate) fn children(&self) -> Vec<String> {
        let id = self.child.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        children.split_whitespace().map(str::to_owned).collect()
    }
}

/// SIGINT ends nginx with its workers, and PostgreSQL without waiting for its clients, as SIGTERM would. A
/// shell ends by SIGTERM: tests that run in the background may have inherited that SIGINT is ignored.
impl Drop for Process {
    fn drop(&mut self) {
        for signal in [Signal::INT, Signal::TERM] {
            let _ = kill_process(Pid::from_child(&self.child), signal);
        }
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("{}:\n{}", self.log.display(), self.log());
        }
    }
}

/// Tries until there is something.
pub(crate) fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + SOON;
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(Instant::now() < end, "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}
