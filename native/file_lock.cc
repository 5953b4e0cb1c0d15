#include "file_lock.h"

#include <cstring>
#include <stdexcept>

#ifdef _WIN32
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#endif

namespace archwright {

#ifdef _WIN32

std::unique_ptr<FileLock> FileLock::tryAcquire(const std::string& path) {
  // Others may read the owner's id; a second writer is refused.
  HANDLE file = CreateFileA(path.c_str(), GENERIC_WRITE, FILE_SHARE_READ, nullptr, OPEN_ALWAYS,
                            FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) {
    if (GetLastError() == ERROR_SHARING_VIOLATION) return nullptr;
    throw std::runtime_error(path + ": cannot be opened, error " + std::to_string(GetLastError()));
  }
  const std::string owner = std::to_string(GetCurrentProcessId());
  DWORD written = 0;
  WriteFile(file, owner.data(), static_cast<DWORD>(owner.size()), &written, nullptr);
  SetEndOfFile(file);
  return std::unique_ptr<FileLock>(new FileLock(reinterpret_cast<intptr_t>(file)));
}

FileLock::~FileLock() { CloseHandle(reinterpret_cast<HANDLE>(file_)); }

#else

std::unique_ptr<FileLock> FileLock::tryAcquire(const std::string& path) {
  // Without O_CREAT first: Linux refuses it on another user's file in a shared temporary folder.
  int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) {
    file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file >= 0) fchmod(file, 0666);
  }
  if (file < 0) throw std::runtime_error(path + ": " + std::strerror(errno));
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    close(file);
    if (reason == EWOULDBLOCK) return nullptr;
    throw std::runtime_error(path + ": " + std::strerror(reason));
  }
  const std::string owner = std::to_string(getpid());
  const bool wrote = ftruncate(file, 0) == 0 && write(file, owner.data(), owner.size()) >= 0;
  std::unique_ptr<FileLock> lock(new FileLock(file));
  if (!wrote) throw std::runtime_error(path + ": " + std::strerror(errno));
  return lock;
}

FileLock::~FileLock() { close(static_cast<int>(file_)); }

#endif

}  // namespace archwright
