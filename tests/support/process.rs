//! Child processes: their output as lines, their end, and folders for their files.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Ends a test that would hang for ever; never a measure of anything.
pub const GUARD: Duration = Duration::from_secs(30);

/// A child process, killed when it is dropped.
pub struct Process {
    pub child: Child,
    pub stdout: Lines,
    pub stderr: Lines,
    has_children: bool,
}

impl Process {
    /// Starts it with pipes for what it writes.
    pub fn start(command: Command) -> Process {
        let mut process = Process::start_unread(command);
        let stdout = process.child.stdout.take();
        process.stdout = stdout.map(Lines::of).unwrap_or_default();
        process
    }

    /// The same, but nobody reads its standard output.
    pub fn start_unread(mut command: Command) -> Process {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stderr = child.stderr.take().map(Lines::of).unwrap_or_default();
        Process {
            child,
            stdout: Lines::default(),
            stderr,
            has_children: false,
        }
    }

    /// The same as `start`, for a program whose children have to be killed with it: it gets a
    /// process group of its own.
    pub fn start_group(mut command: Command) -> Process {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut process = Process::start(command);
        process.has_children = cfg!(unix);
        process
    }

    /// Its exit status, once it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of this process")
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + GUARD;
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "it goes on: {:?}",
                self.stderr.all()
            );
            thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn kill(&mut self) {
        if self.has_children && self.ended().is_none() {
            let mut kill = Command::new("/bin/sh");
            let group = format!("-{}", self.child.id());
            kill.args(["-c", "kill -s KILL \"$0\"", &group]);
            let _ = kill.stderr(Stdio::null()).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The lines of a pipe, read by a thread.
#[derive(Default)]
pub struct Lines {
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Lines {
    pub fn of(pipe: impl Read + Send + 'static) -> Lines {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = lines.clone();
        let read = move || {
            for line in BufReader::new(pipe).lines() {
                sink.lock()
                    .expect("no panic while held")
                    .push(line.expect("UTF-8"));
            }
        };
        Lines {
            lines,
            reader: Some(thread::spawn(read)),
        }
    }

    /// The lines so far.
    pub fn all(&self) -> Vec<String> {
        self.lines.lock().expect("no panic while held").clone()
    }

    /// Number of lines so far that contain `part`.
    pub fn count(&self, part: &str) -> usize {
        self.lines
            .lock()
            .expect("no panic while held")
            .iter()
            .filter(|l| l.contains(part))
            .count()
    }

    /// All lines, once the other end is closed.
    pub fn until_the_end(&mut self) -> Vec<String> {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader ends with its pipe");
        }
        self.all()
    }
}

/// Waits for a condition; fails when it does not come about.
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + GUARD;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// A port that was free a moment ago and that no other test of this process was given.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        if GIVEN
            .lock()
            .expect("no panic while held")
            .get_or_insert_default()
            .insert(port)
        {
            return port;
        }
    }
}

/// The first of these programs that is in `PATH` or in one of `more`.
pub fn find_program(names: &[&str], more: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = more.iter().map(PathBuf::from);
    let folders: Vec<PathBuf> = std::env::split_paths(&path).chain(more).collect();
    let files = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    files.into_iter().find(|file| file.is_file())
}

/// A new, empty folder, removed when it is dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let parent = option_env!("CARGO_TARGET_TMPDIR").map(PathBuf::from);
        let parent = parent.unwrap_or_else(std::env::temp_dir);
        let folder = parent.join(format!("{name}-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a new folder");
        Folder(folder)
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Children of a program that was killed may take a moment more.
        for _ in 0..20 {
            if fs::remove_dir_all(&self.0).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Writes a line to standard error that the test harness does not hold back.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
