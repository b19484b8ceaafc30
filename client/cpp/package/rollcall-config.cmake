# Read by find_package(rollcall). Defines rollcall::client, and rollcall::client_mocks for tests.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(Protobuf)
find_dependency(gRPC CONFIG)
find_dependency(absl CONFIG)
include(${CMAKE_CURRENT_LIST_DIR}/rollcall-targets.cmake)
