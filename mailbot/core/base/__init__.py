"""The words that everything else uses: mail addresses, characters that are safe to show, faults in an operator's file.

It knows nothing of mails, licences or requests.
"""
