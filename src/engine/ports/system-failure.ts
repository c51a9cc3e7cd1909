/** Failures of the system are told by the name of the error number ('EPERM', 'ENODEV'); undefined means success. */
export type SystemFailure = string | undefined;
