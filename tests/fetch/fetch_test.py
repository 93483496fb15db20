#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""slowpath fetch against a server that treats bytes badly: the verdict names what was done, and says
nothing of the kind where nothing was."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import bad_server

PROGRAM = os.environ["SLOWPATH_PROGRAM"]


def run(*arguments, **options):
    return subprocess.run([PROGRAM, "fetch", *arguments], capture_output=True, text=True, timeout=60,
                          check=False, stdin=subprocess.DEVNULL,
                          env=dict(os.environ, LC_ALL="C.UTF-8", no_proxy="*"), **options)


class Fetch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.server = bad_server.start()
        cls.base = f"http://127.0.0.1:{cls.server.server_address[1]}/"
        cls.file = os.path.join(cls.folder, "right.bin")
        with open(cls.file, "wb") as file:
            file.write(bad_server.DATA)

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.server.counts.clear()

    def fetch(self, path, *arguments, code=0):
        result = run("--json", *arguments, self.base + path)
        self.assertEqual(result.returncode, code, result.stderr + result.stdout)
        return json.loads(result.stdout)

    def expect(self, path, outcome, verdict, *arguments, code=0):
        it = self.fetch(path, *arguments, code=code)
        self.assertEqual((it["outcome"], it["verdict"]), (outcome, verdict), it["summary"])
        return it

    # --- nothing wrong

    def test_sound_copies_are_the_same(self):
        it = self.expect("good", "consistent", "healthy")
        self.assertEqual(len(it["copies"]), 3)
        self.assertEqual(it["blocks_differing"], 0)
        self.assertEqual(it["copies"][0]["digests"][0]["hex"], bad_server.SHA256)
        self.assertGreater(it["copies"][0]["tcp"]["bytes_received"], len(bad_server.DATA))

    def test_the_expected_hash_proves_it(self):
        self.expect("good", "intact", "healthy", "--expect", "sha256:" + bad_server.SHA256)
        self.expect("good", "intact", "healthy", "--expect-file", self.file, "-n", "1")
        self.expect("digest", "intact", "healthy")

    def test_how_it_is_carried_does_not_matter(self):
        for path in ("chunked", "moved", "empty"):
            with self.subTest(path):
                self.expect(path, "consistent", "healthy", "-n", "2")
        it = self.expect("compressed", "consistent", "healthy", "-n", "2")
        self.assertIn("gzip", " ".join(it["evidence"]))

    def test_one_copy_proves_nothing(self):
        self.expect("good", "unclear", "unclear", "-n", "1")

    def test_a_file_that_changes_is_no_fault(self):
        it = self.expect("changing", "changed", "unclear")
        self.assertIn('"v2"', it["summary"])

    def test_a_page_made_for_each_request_is_no_fault(self):
        self.expect("generated", "unclear", "unclear")

    # --- bytes changed

    def corrupted(self, path, *arguments):
        return self.expect(path, "corrupted", "payload-altered-csum-good", *arguments)

    def test_flipped_bits(self):
        it = self.corrupted("flip")
        self.assertEqual(it["pattern"]["kind"], "bit flips")
        self.assertEqual([d["first_offset"] for d in it["differences"]], [200_003, 400_003, 700_003])
        self.assertEqual({d["copy"] for d in it["differences"]}, {1})
        self.assertEqual({d["right_by"] for d in it["differences"]}, {"majority"})
        for difference in it["differences"]:
            self.assertEqual(int(difference["expected"][:2], 16) ^ int(difference["seen"][:2], 16), 0x10)

    def test_the_first_copy_may_be_the_wrong_one(self):
        it = self.corrupted("flip-first")
        self.assertEqual({d["copy"] for d in it["differences"]}, {0})

    def test_two_versions_are_settled_by_asking_again(self):
        it = self.corrupted("flip", "-n", "2")
        self.assertEqual({d["right_by"] for d in it["differences"]}, {"asked-again"})
        self.assertEqual({d["copy"] for d in it["differences"]}, {1})

    def test_the_hash_says_which_is_right(self):
        it = self.corrupted("flip-first", "--expect", bad_server.SHA256)
        self.assertEqual({d["right_by"] for d in it["differences"]}, {"digest"})
        self.assertEqual({d["copy"] for d in it["differences"]}, {0})

    def test_a_file_says_which_is_right(self):
        it = self.corrupted("flip-first", "--expect-file", self.file)
        self.assertEqual({d["right_by"] for d in it["differences"]}, {"file"})
        self.assertEqual(it["differing_bytes"], 3)

    def test_without_a_spool_hashes_still_tell(self):
        it = self.expect("flip", "corrupted", "payload-altered-csum-good", "--spool", "0", "--expect",
                         bad_server.SHA256)
        self.assertEqual(it["blocks_differing"], 3)
        self.assertEqual(it["blocks_not_kept"], 3)

    def test_stale_segment(self):
        it = self.corrupted("stale")
        self.assertEqual(it["pattern"]["kind"], "stale bytes")
        self.assertEqual(it["differences"][0]["first_offset"], 300 * bad_server.MSS)

    def test_shift(self):
        it = self.corrupted("shift")
        self.assertEqual(it["pattern"]["kind"], "byte shift")
        self.assertEqual(it["differences"][0]["first_offset"], 500_000)

    def test_zeros(self):
        it = self.corrupted("zeros")
        self.assertEqual(it["pattern"]["kind"], "zeros")
        self.assertEqual(it["differences"][0]["first_offset"], 8192 * 40)

    def test_the_same_wrong_bytes_each_time(self):
        it = self.expect("always-bad", "unexpected", "unclear", "--expect-file", self.file)
        self.assertEqual(it["pattern"]["kind"], "bit flips")
        self.expect("always-bad", "unexpected", "unclear", "--expect", "sha256:" + bad_server.SHA256)
        self.expect("wrong-digest", "unexpected", "unclear")

    # --- up and back

    def test_uploads(self):
        for path, outcome, word in (("store", "intact", "as it was"),
                                    ("bad-store", "corrupted", "way up"),
                                    ("bad-way-down", "corrupted", "way down changes")):
            with self.subTest(path):
                it = self.fetch(path, "--upload", self.file, "-n", "2")
                self.assertEqual(it["outcome"], outcome, it["summary"])
                self.assertIn(word, it["summary"])
        for path, legs in (("bad-store", {"up"}), ("bad-way-down", {"down"}),
                           ("bad-both-ways", {"up", "both"})):
            it = self.fetch(path, "--upload", self.file, "-n", "2")
            self.assertEqual({difference["leg"] for difference in it["differences"]}, legs, path)
            self.assertEqual("both the way up" in it["summary"], len(legs) == 2, it["summary"])
        self.assertEqual(self.expect("no-uploads", "failed", "unclear", "--upload", self.file, code=5)
                         ["copies"][0]["status"], 405)
        self.assertIn("403", self.expect("hangs-up-on-uploads", "failed", "unclear", "--upload",
                                         self.file, code=5)["summary"])

    # --- no whole copy

    def test_what_ends_a_download(self):
        for path, outcome, words in (("truncated", "truncated", "684 KiB of"),
                                     ("reset", "truncated", "after"),
                                     ("nowhere", "failed", "404"),
                                     ("loop", "failed", "redirects"),
                                     ("hangs-up", "failed", "without an answer"),
                                     ("garbage", "failed", "HTTP")):
            with self.subTest(path):
                it = self.fetch(path, code=5)
                self.assertEqual(it["outcome"], outcome)
                self.assertIn(words, it["summary"])
        it = self.fetch("stalls", "--stall-timeout", "1s", "-n", "1", code=5)
        self.assertIn("nothing more came", it["summary"])

    def test_nobody_there(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            result = run(f"http://127.0.0.1:{closed.getsockname()[1]}/x")
        self.assertEqual(result.returncode, 5)
        self.assertIn("refused", result.stdout)
        result = run("http://name.invalid/x")
        self.assertEqual(result.returncode, 5)
        self.assertIn("name.invalid", result.stdout)

    def test_wrong_words(self):
        for arguments, code, words in ((["ftp://127.0.0.1/x"], 2, "a URL is like"),
                                       (["http://"], 2, "a URL is like"),
                                       (["--expect", "sha256:12", self.base], 2, "no hash"),
                                       (["--expect-file", "/nonexistent", self.base], 3, "cannot read"),
                                       (["--expect-file", "/", self.base], 3, "no regular file"),
                                       (["--spool", "x", self.base], 2, "x"),
                                       ([], 2, "URL")):
            with self.subTest(arguments):
                result = run(*arguments)
                self.assertEqual(result.returncode, code, result.stderr)
                self.assertIn(words, result.stderr)

    def test_a_signal_ends_it_with_the_answer_so_far(self):
        with subprocess.Popen([PROGRAM, "fetch", "--json", self.base + "stalls"],
                              stdout=subprocess.PIPE, text=True) as process:
            deadline = time.monotonic() + 60
            while not self.server.counts.get("/stalls") and time.monotonic() < deadline:
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            it = json.loads(process.communicate(timeout=60)[0])
        self.assertEqual(process.returncode, 130)
        self.assertTrue(it["interrupted"])

    def test_fail_on(self):
        self.expect("flip", "corrupted", "payload-altered-csum-good", "--fail-on", "fault", code=1)
        self.expect("changing", "changed", "unclear", "--fail-on", "fault")
        self.expect("changing", "changed", "unclear", "--fail-on", "suspect", code=1)
        self.expect("good", "consistent", "healthy", "--fail-on", "suspect")

    # --- for people

    def test_one_screen(self):
        text = run(self.base + "flip").stdout
        self.assertLess(text.count("\n"), 40)
        for words in ("VERDICT   payload-altered-csum-good", "offset 200003", "bit", "copy 3"):
            self.assertIn(words, text)
        self.server.counts.clear()
        quiet = run("-q", self.base + "flip").stdout
        self.assertTrue(quiet.startswith("VERDICT   payload-altered-csum-good"))
        self.assertLessEqual(quiet.count("\n"), 2)

    # --- TLS

    def test_tls(self):
        if not shutil.which("openssl"):
            self.skipTest("needs openssl")
        certificate, key = (os.path.join(self.folder, name) for name in ("cert.pem", "key.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", key, "-out", certificate], check=True, capture_output=True)
        server = bad_server.start(bad_server.tls_context(certificate, key))
        base = f"https://127.0.0.1:{server.server_address[1]}/"
        try:
            refused = run(base + "good")
            self.assertEqual(refused.returncode, 5)
            self.assertIn("certificate", refused.stdout)
            sound = json.loads(run("--json", "--cacert", certificate, base + "good").stdout)
            self.assertEqual(sound["outcome"], "consistent")
            self.assertIn(sound["copies"][0]["tls_version"], ("TLSv1.2", "TLSv1.3"))
            # Nobody on the way can have done it.
            bad = json.loads(run("--json", "-k", base + "flip").stdout)
            self.assertEqual(bad["verdict"], "corrupt-outside-network")
            self.assertEqual(run("--cacert", "/nonexistent", base + "good").returncode, 2)
        finally:
            server.shutdown()
            server.server_close()

    # --- the packets

    def test_packets(self):
        if os.geteuid() != 0:
            self.skipTest("needs root to capture")
        file = os.path.join(self.folder, "x.pcapng")
        it = self.fetch("flip", "--capture", file)
        self.assertEqual(it["capture_problem"], "")
        self.assertEqual({packet["carries"] for packet in it["packets"]}, {"wrong"})
        self.assertEqual({packet["difference"] for packet in it["packets"]}, {0, 1, 2})
        self.assertTrue(it["capture_verdict"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
