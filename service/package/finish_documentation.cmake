# CPack runs this once the files of the Debian packages are in place. Adds the changelog that Debian's policy requires,
# and compresses it and the manual pages. Uses the time in SOURCE_DATE_EPOCH, if set.
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
foreach(package rollcall librollcall-dev)
  file(WRITE ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/${package}/usr/share/doc/${package}/changelog
"rollcall (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium

  * See CHANGELOG.md in the package rollcall.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
endforeach()

file(GLOB plain ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*/usr/share/man/man?/*
                ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*/usr/share/doc/*/changelog)
file(CHMOD ${plain} FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
execute_process(COMMAND gzip -9n ${plain} COMMAND_ERROR_IS_FATAL ANY)
