#include "host.h"

#include <uv.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#ifdef __linux__
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>
#endif

namespace archwright {

uint64_t monotonicTicksNs() { return uv_hrtime(); }

namespace {

double toNs(const uv_timeval_t& time) {
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_usec) * 1e3;
}

#ifdef __linux__

// Value of a "Name:   123 kB" line of /proc/self/status, in bytes.
double readStatusBytes(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(name + ":", 0) == 0) return std::stod(line.substr(name.size() + 1)) * 1024;
  }
  return 0;
}

// Cores that the control group's quota allows; infinity where there is none.
double readQuotaCores() {
  std::string quota;
  double period = 0;
  if (std::ifstream v2("/sys/fs/cgroup/cpu.max"); v2 >> quota >> period) {
    return quota == "max" || period <= 0 ? INFINITY : std::stod(quota) / period;
  }
  double limit = 0;
  std::ifstream v1Quota("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream v1Period("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  if (v1Quota >> limit && v1Period >> period && limit > 0 && period > 0) return limit / period;
  return INFINITY;
}

int readAvailableCores() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  const int allowed = sched_getaffinity(0, sizeof mask, &mask) == 0
                          ? CPU_COUNT(&mask)
                          : static_cast<int>(uv_available_parallelism());
  return std::max(1, static_cast<int>(std::min<double>(allowed, std::ceil(readQuotaCores()))));
}

// The highest "cpu MHz" of /proc/cpuinfo, for virtual machines that have no frequency driver.
int readFrequencyMhz() {
  double highest = 0;
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("cpu MHz", 0) != 0) continue;
    highest = std::max(highest, std::stod(line.substr(line.find(':') + 1)));
  }
  return static_cast<int>(std::lround(highest));
}

// Extensions that decide how fast matrix products and convolutions run, by the kernel's names.
std::vector<std::string> readFeatures() {
  static const std::vector<std::string> kKnown = {
      "sse4_2",      "avx",         "avx2",     "fma",      "f16c",     "avx512f",
      "avx512bw",    "avx512vl",    "avx_vnni", "amx_tile", "amx_int8", "amx_bf16",
      "avx512_vnni", "avx512_bf16", "asimd",    "asimdhp",  "asimddp",  "sve",
      "sve2",        "i8mm",        "bf16"};
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("flags", 0) != 0 && line.rfind("Features", 0) != 0) continue;
    std::vector<std::string> found;
    std::istringstream words(line.substr(line.find(':') + 1));
    for (std::string word; words >> word;) {
      if (std::find(kKnown.begin(), kKnown.end(), word) != kKnown.end()) found.push_back(word);
    }
    return found;
  }
  return {};
}

#endif

}  // namespace

CpuCounters readCpuCounters() {
  CpuCounters counters{};
  uv_rusage_t process;
  if (uv_getrusage(&process) == 0) {
    counters.processNs = toNs(process.ru_utime) + toNs(process.ru_stime);
  }
#ifdef __linux__
  rusage thread;
  if (getrusage(RUSAGE_THREAD, &thread) == 0) {
    counters.involuntarySwitches = static_cast<double>(thread.ru_nivcsw);
  }
  const double tickNs = 1e9 / static_cast<double>(sysconf(_SC_CLK_TCK));
  std::ifstream file("/proc/stat");
  std::string label;
  double user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softIrq = 0, steal = 0;
  if (file >> label >> user >> nice >> system >> idle >> wait >> irq >> softIrq >> steal) {
    counters.stealNs = steal * tickNs;
    counters.busyNs = (user + nice + system + irq + softIrq) * tickNs;
  }
#endif
  return counters;
}

MemoryUse readMemoryUse() {
#ifdef __linux__
  return {readStatusBytes("VmRSS"), readStatusBytes("VmHWM")};
#else
  size_t resident = 0;
  uv_resident_set_memory(&resident);
  uv_rusage_t usage{};
  uv_getrusage(&usage);
#ifdef __APPLE__
  const double unit = 1;
#else
  const double unit = 1024;
#endif
  return {static_cast<double>(resident), static_cast<double>(usage.ru_maxrss) * unit};
#endif
}

bool resetPeakMemory() {
#ifdef __linux__
  std::ofstream file("/proc/self/clear_refs");
  file << "5" << std::flush;  // proc(5): resets the peak resident set size
  return file.good();
#else
  return false;
#endif
}

HostFacts readHostFacts() {
  HostFacts facts{};
  uv_cpu_info_t* cpus = nullptr;
  int count = 0;
  if (uv_cpu_info(&cpus, &count) == 0) {
    facts.cpuModel = count > 0 ? cpus[0].model : "";
    facts.logicalCores = count;
    for (int i = 0; i < count; ++i) facts.frequencyMhz = std::max(facts.frequencyMhz, cpus[i].speed);
    uv_free_cpu_info(cpus, count);
  }
  const double machine = static_cast<double>(uv_get_total_memory());
  const double limit = static_cast<double>(uv_get_constrained_memory());
  facts.totalMemoryBytes = limit > 0 ? std::min(machine, limit) : machine;
#ifdef __linux__
  facts.availableCores = readAvailableCores();
  if (facts.frequencyMhz == 0) facts.frequencyMhz = readFrequencyMhz();
  facts.features = readFeatures();
#else
  facts.availableCores = static_cast<int>(uv_available_parallelism());
#endif
  uv_utsname_t system;
  if (uv_os_uname(&system) == 0) {
    facts.platform = std::string(system.sysname) + " " + system.release + " " + system.machine;
  }
  return facts;
}

}  // namespace archwright
