//! What the kernel tells of this process, on Linux; elsewhere nothing is told.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Ticks in a second of `/proc/PID/stat`: USER_HZ, which Linux has fixed for programs (proc(5)).
const TICKS: f64 = 100.0;

/// What this process uses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Process {
    /// Memory in use, in bytes.
    resident: Option<u64>,
    /// Time computed, in seconds.
    cpu: Option<f64>,
}

impl Process {
    /// Asks the kernel.
    pub(super) fn read() -> Self {
        let file = |name| std::fs::read_to_string(name).unwrap_or_default();
        Self { resident: resident(&file("/proc/self/status")), cpu: cpu(&file("/proc/self/stat")) }
    }

    /// Under the names that every exporter uses.
    pub(super) fn encode(self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        if let Some(resident) = self.resident {
            let (name, help) = ("process_resident_memory_bytes", "Memory in use");
            let gauge = ConstGauge::new(resident);
            gauge.encode(to.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        if let Some(cpu) = self.cpu {
            let (name, help) = ("process_cpu_seconds", "Time computed");
            let counter = ConstCounter::new(cpu);
            counter.encode(to.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        Ok(())
    }
}

/// `VmRSS` of `/proc/PID/status`, which is in KiB.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// `utime` and `stime` of `/proc/PID/stat`: the 14th and 15th field, of which the second, the name
/// in parentheses, may hold anything.
fn cpu(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_what_this_process_uses() {
        let told = Process::read();
        assert!(told.resident.is_some_and(|bytes| bytes > 1 << 20), "{told:?}");
        assert!(told.cpu.is_some_and(|seconds| (0.0..1e6).contains(&seconds)), "{told:?}");
    }

    #[test]
    fn a_name_does_not_move_the_fields() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194304 9 0 0 0 250 50 0 0 20 0 1 0 100 200 300";
        assert_eq!(cpu(stat), Some(3.0));
        assert_eq!(cpu("nonsense"), None);
        assert_eq!(resident("VmPeak:\t 9 kB\nVmRSS:\t   12 kB\n"), Some(12_288));
        assert_eq!(resident("VmRSS:\t   many kB\n"), None);
    }
}
