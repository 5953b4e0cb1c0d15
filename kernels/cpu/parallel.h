// How a kernel asks for threads: whoever calls it brings them, so kernels own no pool.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace archwright::kernels {

struct Parallel {
  // Upper bound on tasks that run at the same time; results depend on it (order of summation) and
  // on nothing else about the machine.
  size_t threads = 1;
  // Runs task(0) … task(count − 1), in any order, and returns when all are done.
  std::function<void(size_t count, const std::function<void(size_t)>& task)> run;

  // Contiguous shares of 0 … total, one to a thread, each of `least` at least but the only one.
  // Returns the number of shares.
  int64_t share(int64_t total, int64_t least,
                const std::function<void(int64_t task, int64_t begin, int64_t end)>& part) const {
    const int64_t tasks =
        std::max<int64_t>(1, std::min<int64_t>(static_cast<int64_t>(threads), total / least));
    run(static_cast<size_t>(tasks), [&](size_t i) {
      const auto task = static_cast<int64_t>(i);
      part(task, total * task / tasks, total * (task + 1) / tasks);
    });
    return tasks;
  }
};

// Elements of element-by-element work that are worth a thread of their own.
constexpr int64_t kShare = 4096;

}  // namespace archwright::kernels
