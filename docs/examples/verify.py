#!/usr/bin/env python3
"""libmanifesto from Python: prints IMAGE when it meets REQUIREMENT, such as qa-approval=qa; otherwise the status says why not.

Usage: verify.py IMAGE REQUIREMENT    with MANIFESTO_HOME, MANIFESTO_CACHE and MANIFESTO_TRUST_SERVER as for verify.c
"""
import ctypes
import os
import sys
from ctypes import POINTER, byref, c_char, c_char_p, c_int, c_size_t, c_void_p


class Options(ctypes.Structure):  # the first members; the library treats the others as zero
    _fields_ = [("size", c_size_t), ("home", c_char_p), ("cache_dir", c_char_p), ("docker_config", c_char_p),
                ("auth_files", POINTER(c_char_p)), ("trust_server", c_char_p)]


class VerifyOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("images", POINTER(c_char_p)), ("nimages", c_size_t), ("require", POINTER(c_char_p))]


class Error(ctypes.Structure):
    _fields_ = [("status", c_int), ("code", c_char * 32), ("message", c_char * 1024), ("endpoint", c_char * 256), ("hint", c_char * 512)]


library, context, error = ctypes.CDLL("libmanifesto.so.1"), c_void_p(), Error()
image, requirement = (os.fsencode(argument) for argument in sys.argv[1:])
options = Options(ctypes.sizeof(Options), os.environb[b"MANIFESTO_HOME"], os.environb[b"MANIFESTO_CACHE"],
                  trust_server=os.environb.get(b"MANIFESTO_TRUST_SERVER"))
verify = VerifyOptions(ctypes.sizeof(VerifyOptions), (c_char_p * 1)(image), 1, (c_char_p * 2)(requirement, None))
if library.manifesto_new(byref(options), byref(context), byref(error)) < 0 or \
        library.manifesto_verify(context, byref(verify), byref(error)) < 0:
    print("verify.py:", error.message.decode(), file=sys.stderr)
    sys.exit(error.status)
print(sys.argv[1])
