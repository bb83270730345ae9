"""What every other package uses: mail addresses, loopback hosts, the policy of characters, faults in an operator's file.

It knows nothing of mails, licences or requests.
"""
