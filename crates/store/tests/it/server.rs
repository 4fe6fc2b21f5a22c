//! A PostgreSQL of the tests' own: made in a temporary folder, reached by a socket in it, and gone
//! when the tests end, however they end.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
};

/// Waits for the end of its input, which comes with the end of the tests, and cleans up.
const SCRIPT: &str = r#"
set -e
dir=$(mktemp -d /tmp/chancery-postgres.XXXXXX)
trap 'kill -INT $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$dir"' EXIT
"$1/initdb" -D "$dir/data" -U chancery -A trust -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1
"$1/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c fsync=off \
    -c max_connections=200 >>"$dir/log" 2>&1 &
server=$!
for try in $(seq 300); do
    if "$1/psql" -h "$dir" -U chancery -d postgres -c 'SELECT 1' >/dev/null 2>&1; then
        echo "$dir"
        cat >/dev/null
        exit 0
    fi
    sleep 0.1
done
cat "$dir/log" >&2
exit 1
"#;

struct Server {
    /// Its standard input is what keeps the server running.
    _script: Child,
    socket: PathBuf,
    databases: Mutex<u32>,
}

static SERVER: OnceLock<Server> = OnceLock::new();

/// The address of a new, empty database.
pub(crate) fn new_database() -> String {
    let server = SERVER.get_or_init(start);
    let mut number = server.databases.lock().unwrap_or_else(PoisonError::into_inner);
    *number += 1;
    let name = format!("store{number}");
    let url = |database: &str| {
        format!("host={} user=chancery dbname={database}", server.socket.display())
    };
    let mut client = postgres::Client::connect(&url("postgres"), postgres::NoTls).unwrap();
    client.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
    url(&name)
}

fn start() -> Server {
    let programs = ["/usr/lib/postgresql/15/bin", "/usr/local/bin", "/usr/bin"];
    let folder = programs.iter().find(|folder| Path::new(folder).join("initdb").exists());
    let Some(folder) = folder else {
        panic!("the tests need PostgreSQL: apt-get install postgresql");
    };
    // initdb refuses to run as root.
    let root = std::fs::metadata("/proc/self").is_ok_and(|own| {
        use std::os::unix::fs::MetadataExt;
        own.uid() == 0
    });
    let mut command = if root { program("runuser") } else { program("sh") };
    if root {
        command.args(["-u", "postgres", "--", "sh"]);
    }
    command.args(["-c", SCRIPT, "sh", folder]).current_dir("/tmp");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut script = command.spawn().expect("runuser and sh are there");
    let mut socket = String::new();
    BufReader::new(script.stdout.as_mut().unwrap()).read_line(&mut socket).unwrap();
    let socket = PathBuf::from(socket.trim());
    assert!(socket.is_absolute(), "PostgreSQL did not start; what it said is above");
    Server { _script: script, socket, databases: Mutex::new(0) }
}

#[expect(clippy::disallowed_methods, reason = "the tests start a database server")]
fn program(name: &str) -> Command {
    Command::new(name)
}
