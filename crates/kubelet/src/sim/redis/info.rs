//! What `INFO` tells: of what real servers say, the fields that mean something here.

use super::{Redis, STARTUP_BYTES};
use meta::Time;

const ALL: &[&str] = &["server", "clients", "memory", "persistence", "stats", "replication", "cpu", "keyspace"];

/// `874.52K`, `1.02M`. Models `bytesToHuman`.
fn human(bytes: u64) -> String {
    #[allow(clippy::cast_precision_loss)]
    let n = bytes as f64;
    match bytes {
        0..1024 => format!("{bytes}B"),
        1024..0x10_0000 => format!("{:.2}K", n / 1024.0),
        0x10_0000..0x4000_0000 => format!("{:.2}M", n / 1_048_576.0),
        _ => format!("{:.2}G", n / 1_073_741_824.0),
    }
}

pub fn text(r: &Redis, section: &str, now: Time) -> String {
    let every = matches!(section, "" | "default" | "all" | "everything");
    let parts: Vec<String> =
        ALL.iter().filter(|s| every || **s == section).map(|s| one(r, s, now).replace('\n', "\r\n")).collect();
    parts.join("\r\n")
}

fn one(r: &Redis, section: &str, now: Time) -> String {
    match section {
        "server" => {
            let (up, (a, b, c)) = (now.since(r.since).as_secs(), r.version);
            format!(
                "# Server\nredis_version:{a}.{b}.{c}\nredis_git_sha1:00000000\nredis_git_dirty:0\nredis_mode:standalone\n\
                 os:Linux 6.12.0-kubottle x86_64\narch_bits:64\nmultiplexing_api:epoll\nprocess_id:{}\n\
                 process_supervised:no\nrun_id:{}\ntcp_port:{}\nserver_time_usec:{}\nuptime_in_seconds:{up}\n\
                 uptime_in_days:{}\nhz:{}\nconfigured_hz:{}\nexecutable:{}\nconfig_file:{}\n",
                r.pid,
                r.run_id,
                r.port,
                now.as_micros(),
                up / 86_400,
                r.config.get("hz"),
                r.config.get("hz"),
                "/data/redis-server",
                r.config.file.as_deref().unwrap_or("")
            )
        }
        "clients" => format!(
            "# Clients\nconnected_clients:{}\nmaxclients:{}\nblocked_clients:{}\n",
            r.connections(),
            r.config.get("maxclients"),
            r.blocked()
        ),
        "memory" => {
            let (used, peak, most) = (r.used_memory(), r.peak, r.config.number("maxmemory"));
            let rss = r.resident();
            format!(
                "# Memory\nused_memory:{used}\nused_memory_human:{}\nused_memory_rss:{rss}\nused_memory_rss_human:{}\n\
                 used_memory_peak:{peak}\nused_memory_peak_human:{}\nused_memory_startup:{STARTUP_BYTES}\n\
                 used_memory_dataset:{}\nmaxmemory:{most}\nmaxmemory_human:{}\nmaxmemory_policy:{}\n\
                 mem_allocator:jemalloc-5.3.0\n",
                human(used),
                human(rss),
                human(peak),
                used - STARTUP_BYTES,
                human(most),
                r.config.get("maxmemory-policy")
            )
        }
        "persistence" => format!(
            "# Persistence\nloading:0\nrdb_changes_since_last_save:{}\nrdb_bgsave_in_progress:0\nrdb_last_save_time:{}\n\
             rdb_last_bgsave_status:ok\naof_enabled:{}\n",
            r.dirty,
            r.saved.as_secs(),
            u8::from(r.config.get("appendonly") == "yes")
        ),
        "stats" => format!(
            "# Stats\ntotal_connections_received:{}\ntotal_commands_processed:{}\nexpired_keys:{}\nevicted_keys:{}\n\
             keyspace_hits:{}\nkeyspace_misses:{}\npubsub_channels:0\npubsub_patterns:0\ntotal_error_replies:{}\n",
            r.stats.connections,
            r.stats.commands,
            r.stats.expired,
            r.stats.evicted,
            r.stats.hits,
            r.stats.misses,
            r.stats.errors
        ),
        "replication" => replication(r),
        "cpu" => "# CPU\n".into(),
        _ => {
            let line = |(n, db): (usize, &super::data::Db)| {
                format!("db{n}:keys={},expires={},avg_ttl={}\n", db.len(), db.expiring, average(db, now))
            };
            format!("# Keyspace\n{}", r.filled().map(line).collect::<String>())
        }
    }
}

/// Milliseconds that keys have left on average.
fn average(db: &super::data::Db, now: Time) -> u64 {
    let all: Vec<u64> = db.iter().filter_map(|(_, k)| Some(k.expires?.since(now).as_millis())).collect();
    all.iter().sum::<u64>() / (all.len() as u64).max(1)
}

fn replication(r: &Redis) -> String {
    let slaves = r.replicas();
    let mut out = match r.master() {
        None => "# Replication\nrole:master\n".to_string(),
        Some((host, port)) => format!(
            "# Replication\nrole:slave\nmaster_host:{host}\nmaster_port:{port}\nmaster_link_status:{}\n\
             master_sync_in_progress:0\nslave_repl_offset:{}\nslave_priority:{}\nslave_read_only:{}\n",
            if r.link_is_up() { "up" } else { "down" },
            r.offset,
            r.config.get("replica-priority"),
            u8::from(r.config.get("replica-read-only") == "yes")
        ),
    };
    out.push_str(&format!("connected_slaves:{}\n", slaves.len()));
    for (n, ip) in slaves.iter().enumerate() {
        out.push_str(&format!("slave{n}:ip={ip},port={},state=online,offset={},lag=0\n", r.port, r.offset));
    }
    out.push_str(&format!("master_replid:{}\nmaster_repl_offset:{}\n", r.run_id, r.offset));
    out
}
