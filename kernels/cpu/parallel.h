// How a kernel asks for threads: whoever calls it brings them, so kernels own no pool.
#pragma once

#include <cstddef>
#include <functional>

namespace archwright::kernels {

struct Parallel {
  // Upper bound on tasks that run at the same time; results depend on it (order of summation) and
  // on nothing else about the machine.
  size_t threads = 1;
  // Runs task(0) … task(count − 1), in any order, and returns when all are done.
  std::function<void(size_t count, const std::function<void(size_t)>& task)> run;
};

}  // namespace archwright::kernels
