// An advisory lock on a file, held by this process until it is released or the process ends, however
// it ends. No N-API.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace archwright {

class FileLock {
 public:
  // Creates the file if needed, takes the lock and writes the process id into the file.
  // Null if another process (or another lock of this one) has it.
  // Throws std::runtime_error if the file cannot be opened.
  static std::unique_ptr<FileLock> tryAcquire(const std::string& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  explicit FileLock(intptr_t file) : file_(file) {}
  intptr_t file_;
};

}  // namespace archwright
